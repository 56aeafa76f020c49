#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/config/override_functions.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

using ValueKind = Value::Kind;

std::string stripped(const std::string& text) {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(spaces) + 1 - first);
}

// The length of digits with single underscores between them.
std::size_t digits(std::string_view text) {
  std::size_t length = 0;
  const auto is_digit_at = [&](std::size_t at) {
    return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
  };
  while (is_digit_at(length) ||
         (length > 0 && length < text.size() && text[length] == '_' && is_digit_at(length + 1))) {
    ++length;
  }
  return length;
}

Json text_to_integer(const std::string& given) {
  const std::string text = stripped(given);
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::string_view number = std::string_view(text).substr(sign);
  if (number.empty() || digits(number) != number.size()) throw ConfigError("'{}' is no whole number", given);
  return parse_integer(number, 10, text[0] == '-');
}

bool is_float_text(std::string_view number) {
  std::size_t at = digits(number);
  std::size_t mantissa = at;
  if (at < number.size() && number[at] == '.') {
    const std::size_t fraction = digits(number.substr(at + 1));
    mantissa += fraction;
    at += 1 + fraction;
  }
  if (mantissa == 0) return false;
  if (at < number.size() && (number[at] | 0x20) == 'e') {
    std::size_t begin = at + 1;
    if (begin < number.size() && (number[begin] == '+' || number[begin] == '-')) ++begin;
    const std::size_t exponent = begin < number.size() ? digits(number.substr(begin)) : 0;
    if (exponent == 0) return false;
    at = begin + exponent;
  }
  return at == number.size();
}

Json text_to_float(const std::string& given) {
  std::string text = stripped(given);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::string number = text.substr(sign);
  const bool is_word = number == "inf" || number == "infinity" || number == "nan";
  if (!is_word && !is_float_text(number)) throw ConfigError("'{}' is no number", given);
  std::erase(text, '_');
  return parse_float(text);
}

Json to_integer(const Json& value) {
  if (value.is_string()) return text_to_integer(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_number_float()) return value;
  const double whole = std::trunc(value.get<double>());
  if (!(std::abs(whole) < 9223372036854775808.0)) {
    throw ConfigError("{} does not fit into a whole number of 64 bits", python_str(value));
  }
  return static_cast<std::int64_t>(whole);
}

Json to_float(const Json& value) {
  if (value.is_string()) return text_to_float(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  return value.get<double>();
}

Json to_boolean(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_number()) return value.get<double>() != 0.0;
  if (value.is_boolean()) return value;
  std::string text = value.get<std::string>();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "true") return true;
  if (text == "false") return false;
  throw ConfigError("'{}' is neither true nor false", value.get<std::string>());
}

Json to_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return python_str(value);
}

Json cast_scalar(const Json& value, Cast cast) {
  if (value.is_null() && cast != Cast::boolean) throw ConfigError("null cannot be cast");
  switch (cast) {
    case Cast::integer:
      return to_integer(value);
    case Cast::floating:
      return to_float(value);
    case Cast::boolean:
      return to_boolean(value);
    default:
      return to_text(value);
  }
}

bool keeps_numbers(Cast cast) { return cast == Cast::integer || cast == Cast::floating; }

Value cast_items(const Value& value, Cast cast) {
  Value result{.kind = value.kind, .keys = value.keys, .is_simple = value.is_simple};
  const bool is_choice = value.kind == ValueKind::choice;
  if (is_choice && cast == Cast::json) {
    result.tags = value.tags;
    result.is_shuffled = value.is_shuffled;
  }
  for (const Value& item : value.items) {
    if (is_choice && cast == Cast::json && item.kind == ValueKind::scalar && item.scalar.is_null()) {
      throw ConfigError("null cannot be cast here");
    }
    result.items.push_back(cast_value(item, cast));
  }
  return result;
}

}  // namespace

Value cast_value(const Value& value, Cast cast) {
  switch (value.kind) {
    case ValueKind::scalar:
    case ValueKind::quoted:
      return {.scalar =
                  cast == Cast::json ? Json(python_json(value.scalar)) : cast_scalar(value.scalar, cast)};
    case ValueKind::list:
    case ValueKind::map:
      return cast == Cast::json ? Value{.scalar = python_json(value_json(value))} : cast_items(value, cast);
    case ValueKind::choice:
      return cast_items(value, cast);
    case ValueKind::range: {
      if (keeps_numbers(cast)) return cast_items(value, cast);
      if (cast != Cast::json) throw ConfigError("a range can be cast to int and float only");
      Value choice{.kind = ValueKind::choice, .items = enumerate(value, "")};
      return cast_items(choice, cast);
    }
    case ValueKind::interval: {
      if (!keeps_numbers(cast)) throw ConfigError("an interval can be cast to int and float only");
      Value result = cast_items(value, cast);
      result.tags = value.tags;
      return result;
    }
    default:
      throw ConfigError("this value cannot be cast");
  }
}

}  // namespace moelab::config
