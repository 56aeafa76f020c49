// Parses texts with ${...} references by OmegaConf's grammar into expressions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace moelab::config {

struct Expression {
  enum class Kind {
    literal,   // `value`
    text,      // the texts of `parts`, put together
    node,      // ${a.b}: `dots`, and `parts` that make the key path
    resolver,  // ${oc.env:NAME}: `parts` make the name; `items` are the arguments
    list,      // [a, b]: `items`
    map        // {k: a}: `keys` and `items`
  };
  Kind kind = Kind::literal;
  Json value = nullptr;
  std::vector<Expression> parts{};
  std::vector<Expression> items{};
  std::vector<std::string> keys{};
  std::size_t dots = 0;  // leading dots: 0 is absolute, 1 a sibling, 2 the parent's sibling
};

// A config value: one reference alone keeps its type, anything else is a text. A backslash before ${ keeps it
// literal (and pairs of them before it are halved). Throws ConfigError on syntax errors.
Expression parse_text(std::string_view text);

// One element as it stands among a resolver's arguments: a number, text, quoted text, list, mapping or
// reference; what oc.decode reads. Throws ConfigError on syntax errors.
Expression parse_element(std::string_view text);

}  // namespace moelab::config
