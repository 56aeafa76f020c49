// Python's str() and repr() of template values, and json.dumps.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/text/template_value.h"

namespace moelab::text::jinja {

// What "{{ value }}" writes. Throws a Fault "Unsupported" where Python would write a memory address.
std::string to_text(const Value& value, Budget& budget);
std::string repr(const Value& value, Budget& budget);
std::string float_text(double value);

struct JsonStyle {
  std::optional<std::string> indent;  // one level's
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool ascii = false;
  bool sort_keys = false;
};

// json.dumps. Throws a Fault "TypeError" for what JSON cannot hold.
std::string to_json(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace moelab::text::jinja
