// The values of overrides: quoted and plain texts, numbers, lists, mappings, and the sweeps over them.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/config/override_lexer.h"

namespace moelab::config {

// A value as it is written: it still knows quotes, and it may be a sweep or a list to append.
struct Value {
  enum class Kind { scalar, quoted, list, map, choice, range, interval, glob, extension };
  Kind kind = Kind::scalar;
  Json scalar = nullptr;         // of a scalar; the content of a quoted text
  std::string raw{};             // of a quoted text, with its quotes
  std::vector<Value> items{};    // elements; start, stop, step of a range; start, end of an interval
  std::vector<Value> keys{};     // of a mapping
  std::set<std::string> tags{};  // of a sweep
  std::vector<std::string> include{}, exclude{};  // patterns of a glob
  bool is_simple = false;                         // a choice written as a,b
  bool is_shuffled = false;                       // a choice or range whose order is drawn

  bool is_sweep() const {
    return kind == Kind::choice || kind == Kind::range || kind == Kind::interval || kind == Kind::glob;
  }
};

// The value of "1,2,[3,4]" or "range(1,10)"; an empty text is an empty text. Throws ConfigError naming the
// column, or the function and what is wrong with its arguments.
Value parse_value(std::string_view text);

// What the value is in a config. Throws ConfigError on a sweep.
Json value_json(const Value& value);

// The value as it is written in an override of its own: "[1,2]", "a\,b". Throws ConfigError on a sweep.
std::string value_text(const Value& value);

// The elements that a choice or range runs over, in their order. Throws ConfigError on an interval, above a
// million elements, and for a step of 0. `seed_text` names the draw of a shuffled one.
std::vector<Value> enumerate(const Value& sweep, std::string_view seed_text);

// A plain text, number, truth value or null of the single token.
Json token_value(const Token& token);

// The text that escaped characters stand for.
std::string unescape(std::string_view escaped);

}  // namespace moelab::config
