// The filters that give numbers, and `default`.
#include <charconv>
#include <cmath>

#include "core/text/template_filter_tables.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

// The digits of a number as Python writes it, without the white space, underscores and "+" that it allows.
std::optional<std::string> number_text(const std::string& given) {
  std::string text = strip(given, Side::both);
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) unsupported("the number '{}'", text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') continue;
    const auto digit = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
  }
  std::erase(text, '_');
  if (text.starts_with('+')) {
    text.erase(0, 1);
    if (text.starts_with('-')) return std::nullopt;
  }
  return text;
}

std::optional<std::int64_t> parse_integer(const std::string& given) {
  const auto text = number_text(given);
  if (!text || text->empty()) return std::nullopt;
  std::int64_t value = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec == std::errc::result_out_of_range) unsupported("the integer {}", text->substr(0, 40));
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(const std::string& given) {
  const auto text = number_text(given);
  if (!text || text->empty() || text->find('(') != std::string::npos) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec == std::errc::result_out_of_range) unsupported("the number {}", text->substr(0, 40));
  if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<double> to_real(const Value& value) {
  require_defined(value);
  const auto* text = text_of(value);
  return text != nullptr ? parse_real(*text) : number_of(value);
}

Value int_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_int", {"default", "base"});
  if (bound.integer(1, 10) != 10) unsupported("a base other than 10 in the filter 'int'");
  require_defined(call.input);
  if (const auto integer = integer_of(call.input)) return *integer;
  if (const auto* text = text_of(call.input))
    if (const auto integer = parse_integer(*text)) return *integer;
  const auto real = to_real(call.input);
  if (!real || !std::isfinite(*real)) return bound[0] != nullptr ? *bound[0] : Value(std::int64_t{0});
  if (std::abs(*real) >= 9.2e18) unsupported("an integer of more than 64 bits");
  return static_cast<std::int64_t>(*real);
}

Value float_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_float", {"default"});
  if (const auto real = to_real(call.input)) return *real;
  return bound[0] != nullptr ? *bound[0] : Value(0.0);
}

Value abs_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (const auto integer = integer_of(call.input))
    return *integer < 0 ? signed_value(true, *integer) : Value(*integer);
  if (const auto* real = call.input.as<double>()) return std::abs(*real);
  type_error("bad operand type for abs(): '{}'", type_name(call.input));
}

Value rounded(double value, std::int64_t precision, const std::string& method) {
  if (precision < 0 || precision > 15) unsupported("the filter 'round' to {} digits", precision);
  if (!std::isfinite(value)) unsupported("the filter 'round' on infinity or NaN");
  if (method == "common") {
    double result = 0;
    const std::string digits = fmt::format("{:.{}f}", value, static_cast<int>(precision));
    std::from_chars(digits.data(), digits.data() + digits.size(), result);
    return result;
  }
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = method == "ceil" ? std::ceil(value * scale) : std::floor(value * scale);
  return (scaled == 0 ? 0.0 : scaled) / scale;
}

Value round_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_round", {"precision", "method"});
  const std::string method = bound.text(1).value_or("common");
  if (method != "common" && method != "ceil" && method != "floor")
    fail("FilterArgumentError", "method must be common, ceil or floor");
  const std::int64_t precision = bound.integer(0, 0);
  const auto number = number_of(call.input);
  if (!number) type_error("type {} doesn't define __round__ method", type_name(call.input));
  const auto integer = integer_of(call.input);
  if (integer && method == "common") {
    if (precision < 0) unsupported("the filter 'round' to {} digits", precision);
    return *integer;
  }
  return rounded(*number, precision, method);
}

Value length_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  const auto length = length_of(call.input);
  if (!length) type_error("object of type '{}' has no len()", type_name(call.input));
  return *length;
}

Value default_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_default", {"default_value", "boolean"});
  if (!call.input.is<Undefined>() && !(bound.flag(1, false) && !truthy(call.input))) return call.input;
  return bound[0] != nullptr ? *bound[0] : call.text("");
}

Value sum_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "sync_do_sum", {"attribute", "start"});
  const AttributePath path(bound[0], call.budget);
  Value total = bound[1] != nullptr ? *bound[1] : Value(std::int64_t{0});
  if (total.is<Text>()) type_error("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : iterate(call.input, call.budget))
    total = arithmetic(Arithmetic::add, total, path.read(item, call.budget), call.budget);
  return total;
}

}  // namespace

const FilterTable& number_filters() {
  static const FilterTable kFilters = {
      {"int", int_filter},         {"float", float_filter},   {"abs", abs_filter},
      {"round", round_filter},     {"length", length_filter}, {"count", length_filter},
      {"default", default_filter}, {"d", default_filter},     {"sum", sum_filter}};
  return kFilters;
}

}  // namespace moelab::text::jinja
