#include "core/config/scalar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include "core/base/ascii.h"

namespace moelab::config {
namespace {

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 4> null_words{"~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 9> true_words{"yes",  "Yes", "YES", "true", "True",
                                                     "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 9> false_words{"no",    "No",  "NO",  "false", "False",
                                                      "FALSE", "off", "Off", "OFF"};
constexpr std::string_view decimal_digits = "0123456789_";

bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

std::string without_underscores(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  return plain;
}

// Parts of a base-60 number after its first colon: one or two digits each, at most 59.
bool is_sixty_tail(std::string_view tail) {
  while (!tail.empty()) {
    if (tail[0] != ':') return false;
    tail.remove_prefix(1);
    const std::size_t end = std::min(tail.find(':'), tail.size());
    const std::string_view part = tail.substr(0, end);
    const bool two = part.size() == 2 && part[0] >= '0' && part[0] <= '5' && is_digit(part[1]);
    if (!two && !(part.size() == 1 && is_digit(part[0]))) return false;
    tail.remove_prefix(end);
  }
  return true;
}

std::vector<std::string_view> split_colons(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

Json sixty_integer(std::string_view text, bool negative) {
  std::int64_t sum = 0;
  for (const std::string_view part : split_colons(text)) {
    const Json digit = parse_integer(part, 10, false);
    std::int64_t scaled = 0;
    const bool fits = digit.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()} &&
                      !__builtin_mul_overflow(sum, std::int64_t{60}, &scaled) &&
                      !__builtin_add_overflow(scaled, digit.get<std::int64_t>(), &sum);
    if (!fits) throw ConfigError("the integer {} does not fit into 64 bits", text);
  }
  return negative ? -sum : sum;
}

std::optional<Json> read_integer(std::string_view text) {
  const bool negative = take_sign(text);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  const std::string_view rest = text.substr(1);
  if (text[0] == '0') {
    if (rest.empty()) return Json(0);
    if (rest.size() > 1 && rest[0] == 'b' && all_of(rest.substr(1), "01_")) {
      return parse_integer(rest.substr(1), 2, negative);
    }
    if (rest.size() > 1 && rest[0] == 'x' && all_of(rest.substr(1), "0123456789abcdefABCDEF_")) {
      return parse_integer(rest.substr(1), 16, negative);
    }
    if (all_of(rest, "01234567_")) return parse_integer(text, 8, negative);
    return std::nullopt;
  }
  const std::size_t colon = text.find(':');
  if (!all_of(text.substr(0, colon), decimal_digits)) return std::nullopt;
  if (colon == std::string_view::npos) return parse_integer(text, 10, negative);
  if (!is_sixty_tail(text.substr(colon))) return std::nullopt;
  return sixty_integer(text, negative);
}

// Digits with single underscores between them, as 1_000; YAML 1.1 alone allows any underscores after the
// first digit.
bool is_grouped(std::string_view digits) {
  if (digits.empty() || digits.front() == '_' || digits.back() == '_') return false;
  return digits.find("__") == std::string_view::npos && all_of(digits, decimal_digits);
}

struct Exponent {
  bool valid = false;     // empty, or e with digits
  bool present = false;   // not empty
  bool has_sign = false;  // e+3, e-3
};

Exponent read_exponent(std::string_view text) {
  if (text.empty()) return {.valid = true};
  Exponent exponent{.present = true};
  if (text[0] != 'e' && text[0] != 'E') return exponent;
  text.remove_prefix(1);
  exponent.has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  if (exponent.has_sign) text.remove_prefix(1);
  exponent.valid = !text.empty() && all_of(text, "0123456789");
  return exponent;
}

bool is_sixty_float(std::string_view whole, std::string_view fraction) {
  const std::size_t colon = whole.find(':');
  return all_of(whole.substr(0, colon), decimal_digits) && is_sixty_tail(whole.substr(colon)) &&
         all_of(fraction, decimal_digits);
}

// Whether the text without its sign is a decimal float by YAML 1.1's pattern or by OmegaConf's addition to it
// (which allows an exponent without a sign and a mantissa without a point).
bool is_decimal_float(std::string_view text, bool has_sign) {
  const std::size_t mantissa_end = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, mantissa_end);
  const Exponent exponent = read_exponent(text.substr(mantissa_end));
  if (!exponent.valid || mantissa.empty()) return false;
  const std::size_t point = mantissa.find('.');
  if (point == std::string_view::npos) return exponent.present && is_grouped(mantissa);
  const std::string_view whole = mantissa.substr(0, point), fraction = mantissa.substr(point + 1);
  if (whole.find(':') != std::string_view::npos) return !exponent.present && is_sixty_float(whole, fraction);
  if (!all_of(fraction, decimal_digits)) return false;
  if (whole.empty()) {
    return !has_sign && !fraction.empty() && is_digit(fraction[0]) &&
           (!exponent.present || exponent.has_sign);
  }
  if (!is_digit(whole[0]) || !all_of(whole, decimal_digits)) return false;
  return is_grouped(whole) || !exponent.present || exponent.has_sign;
}

std::optional<Json> read_float(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return std::numeric_limits<double>::quiet_NaN();
  const std::size_t full = text.size();
  const double sign = take_sign(text) ? -1.0 : 1.0;
  if (text == ".inf" || text == ".Inf" || text == ".INF")
    return sign * std::numeric_limits<double>::infinity();
  if (text.empty() || (!is_digit(text[0]) && text[0] != '.')) return std::nullopt;
  if (!is_decimal_float(text, text.size() != full)) return std::nullopt;
  double value = 0.0;
  for (const std::string_view part : split_colons(text)) {
    value = value * 60.0 + parse_float(without_underscores(part));
  }
  return sign * value;
}

// Python takes the quote that needs no backslash, and ' where either or none does.
std::string quoted_repr(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const char quote = has_single && text.find('"') == std::string::npos ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      result += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + quote;
}

// "[a, b]" or "{key: a}" with every element and key written by `write`.
std::string joined(const Json& value, std::string (*write)(const Json&)) {
  std::string text(1, value.is_array() ? '[' : '{');
  for (const auto& item : value.items()) {
    if (text.size() > 1) text += ", ";
    if (value.is_object()) text += write(Json(item.key())) + ": ";
    text += write(item.value());
  }
  return text + (value.is_array() ? ']' : '}');
}

}  // namespace

Json parse_integer(std::string_view digits, int base, bool negative) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  std::uint64_t value = 0;
  bool any = false, fits = true;
  for (const char c : digits) {
    if (c == '_') continue;
    any = true;
    const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
    fits = fits && !__builtin_mul_overflow(value, static_cast<std::uint64_t>(base), &value) &&
           !__builtin_add_overflow(value, static_cast<std::uint64_t>(digit), &value);
  }
  if (!any)
    throw ConfigError("'{}' is written like a number and has no digits; quote it if it is text", digits);
  if (!fits || (negative && value > limit)) {
    throw ConfigError("the integer {}{} does not fit into 64 bits", negative ? "-" : "", digits);
  }
  if (negative) return static_cast<std::int64_t>(0 - value);
  if (value < limit) return static_cast<std::int64_t>(value);
  return value;
}

double parse_float(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

Json plain_scalar(std::string_view text) {
  if (text.empty() || is_one_of(text, null_words)) return nullptr;
  if (is_one_of(text, true_words)) return true;
  if (is_one_of(text, false_words)) return false;
  if (text == "=") throw ConfigError("a lone '=' is reserved in YAML 1.1; quote it");
  if (std::optional<Json> value = read_float(text)) return *value;
  if (std::optional<Json> value = read_integer(text)) return *value;
  return std::string(text);
}

Json tagged_scalar(const std::string& tag, std::string_view text) {
  constexpr std::string_view prefix = "tag:yaml.org,2002:";
  if (!tag.starts_with(prefix)) throw ConfigError("the tag '{}' is not supported", tag);
  const std::string type = tag.substr(prefix.size());
  if (type == "str") return std::string(text);
  const Json value = plain_scalar(text);
  if (type == "null" && value.is_null()) return value;
  if (type == "bool" && value.is_boolean()) return value;
  if (type == "int" && value.is_number_integer()) return value;
  if (type == "float" && value.is_number()) return value.get<double>();
  throw ConfigError("'{}' cannot be read with the tag !!{} (supported: str, int, float, bool, null)", text,
                    type);
}

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".einf") == std::string::npos) text += ".0";
  return text;
}

std::string python_str(const Json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_number_float()) return python_float(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  if (value.is_structured()) return python_repr(value);
  return value.dump();
}

std::string python_repr(const Json& value) {
  if (value.is_string()) return quoted_repr(value.get_ref<const std::string&>());
  if (!value.is_structured()) return python_str(value);
  return joined(value, python_repr);
}

std::string python_json(const Json& value) {
  if (value.is_structured()) return joined(value, python_json);
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return python_float(number);
  }
  return value.dump(-1, ' ', true);
}

std::string key_text(const Json& key) {
  if (key.is_string()) return key.get<std::string>();
  if (key.is_boolean()) return key.get<bool>() ? "true" : "false";
  if (key.is_number_float()) return python_float(key.get<double>());
  if (key.is_number()) return key.dump();
  throw ConfigError("a key must be a string, a number or a boolean");
}

}  // namespace moelab::config
