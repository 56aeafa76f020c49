// The filters that give text.
#include <algorithm>
#include <cmath>

#include "core/text/template_filter_tables.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

Value case_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  const auto change = call.name == "upper"   ? upper
                      : call.name == "lower" ? lower
                      : call.name == "title" ? title_words
                                             : capitalize;
  return call.text(change(soft_text(call)));
}

Value trim_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_trim", {"chars"});
  return call.text(strip(soft_text(call), Side::both, bound.text(0)));
}

Value replace_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_replace", {"old", "new", "count"}, 2);
  const std::string self = to_text(call.input, call.budget);
  const std::string from = to_text(*bound[0], call.budget), to = to_text(*bound[1], call.budget);
  const bool all = bound[2] == nullptr || bound[2]->is<None>();
  const auto hits = static_cast<std::uint64_t>(count(self, from));
  if (!to.empty() && hits > call.budget.limits().text_bytes / to.size()) call.budget.text(UINT64_MAX);
  call.budget.text(self.size() + hits * to.size());
  return call.text(replace(self, from, to, all ? -1 : bound.integer(2, -1)));
}

Value safe_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  return Text{std::make_shared<const std::string>(to_text(call.input, call.budget)), true};
}

Value escape_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  const auto* text = call.input.as<Text>();
  if (text != nullptr && text->safe) return call.input;
  std::string out = escape_html(to_text(call.input, call.budget));
  call.budget.text(out.size());
  return Text{std::make_shared<const std::string>(std::move(out)), true};
}

Value string_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  return call.input.is<Text>() ? call.input : call.text(to_text(call.input, call.budget));
}

std::string indentation(const Value* width, Budget& budget) {
  if (width == nullptr) return "    ";
  if (const auto* text = text_of(*width)) return *text;
  const auto count = integer_of(*width);
  if (!count) type_error("can't multiply sequence by non-int of type '{}'", type_name(*width));
  if (*count > 0) budget.text(static_cast<std::uint64_t>(*count));
  return std::string(static_cast<std::size_t>(std::max<std::int64_t>(*count, 0)), ' ');
}

Value indent_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_indent", {"width", "first", "blank"});
  const std::string indent = indentation(bound[0], call.budget);
  require_defined(call.input);
  if (!call.input.is<Text>())
    unsupported("the filter 'indent' on a value of type '{}'", type_name(call.input));
  const std::vector<std::string> lines = split_lines(soft_text(call) + "\n");
  if (lines.size() > call.budget.limits().text_bytes / (indent.size() + 1)) call.budget.text(UINT64_MAX);
  const bool blank = bound.flag(2, false);
  std::string out = bound.flag(1, false) ? indent : "";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\n";
    if (i > 0 && (blank || !lines[i].empty())) out += indent;
    out += lines[i];
  }
  return call.text(std::move(out));
}

Value truncate_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_truncate", {"s", "length", "killwords", "end", "leeway"});
  require_defined(call.input);
  const std::u32string text = decode(soft_text(call));
  const std::u32string end = decode(bound.text(2).value_or("..."));
  const std::int64_t length = bound.integer(0, 255);
  const std::int64_t leeway = bound[3] == nullptr || bound[3]->is<None>() ? 5 : bound.integer(3, 5);
  if (length < static_cast<std::int64_t>(end.size()))
    fail("AssertionError", "expected length >= {}, got {}", end.size(), length);
  if (leeway < 0) fail("AssertionError", "expected leeway >= 0, got {}", leeway);
  if (static_cast<std::int64_t>(text.size()) <= length + leeway) return call.input;
  std::u32string kept = text.substr(0, static_cast<std::size_t>(length) - end.size());
  if (!bound.flag(1, false))
    if (const auto space = kept.rfind(U' '); space != std::u32string::npos) kept.resize(space);
  return call.text(encode(kept + end));
}

Value center_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_center", {"width"});
  const std::int64_t width = bound.integer(0, 80);
  if (width > 0) call.budget.text(static_cast<std::uint64_t>(width));
  return call.text(justify(soft_text(call), width, U' ', Side::both));
}

Value format_filter(const FilterCall& call) {
  if (!call.arguments.named.empty()) unsupported("the filter 'format' with names");
  const Value text = call.text(soft_text(call));
  return format_percent(text, make_tuple(call.arguments.positional, call.budget), call.budget);
}

Value urlencode_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (!call.input.is<Text>() && is_iterable(call.input))
    unsupported("the filter 'urlencode' on a list or dict");
  std::string out;
  for (const char c : to_text(call.input, call.budget)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_.-~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return call.text(std::move(out));
}

std::optional<std::string> json_indent(const Value* indent, Budget& budget) {
  if (indent == nullptr || indent->is<None>()) return std::nullopt;
  return indentation(indent, budget);
}

Value tojson_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = bound.flag(0, false);
  style.indent = json_indent(bound[1], call.budget);
  style.sort_keys = bound.flag(3, false);
  if (style.indent) style.item_separator = ",";
  if (bound[2] != nullptr && !bound[2]->is<None>()) {
    const Values parts = iterate(*bound[2], call.budget);
    if (parts.size() != 2 || !text_of(parts[0]) || !text_of(parts[1]))
      unsupported("separators that are not two texts in the filter 'tojson'");
    style.item_separator = *text_of(parts[0]);
    style.key_separator = *text_of(parts[1]);
  }
  return call.text(to_json(call.input, style, call.budget));
}

// One conversion of "%": the text, and how far it reached.
std::string converted(std::string_view spec, const Value& value, Budget& budget) {
  if (spec == "s") return to_text(value, budget);
  if (spec == "r") return repr(value, budget);
  if (spec == "d" || spec == "i") {
    if (const auto* real = value.as<double>(); real != nullptr && std::abs(*real) < 9e15)
      return fmt::format("{}", static_cast<std::int64_t>(*real));
    const auto integer = integer_of(value);
    if (!integer) type_error("%d format: a real number is required, not {}", type_name(value));
    return fmt::format("{}", *integer);
  }
  const bool fixed = spec.size() == 3 && spec[0] == '.' && spec[1] >= '0' && spec[1] <= '9' && spec[2] == 'f';
  if (!fixed && spec != "f") unsupported("the conversion '%{}'", spec);
  const auto number = number_of(value);
  if (!number) type_error("must be real number, not {}", type_name(value));
  return fmt::format("{:.{}f}", *number, fixed ? spec[1] - '0' : 6);
}

}  // namespace

Value format_percent(const Value& text, const Value& values, Budget& budget) {
  if (text.as<Text>()->safe) unsupported("formatting a 'safe' text");
  const std::string& format = *text_of(text);
  const auto* tuple = values.as<Tuple>();
  const Values given = tuple != nullptr ? tuple->data->items : Values{values};
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    const std::size_t end = format.find_first_not_of(".0123456789", at + 1);
    if (end == std::string::npos) fail("ValueError", "incomplete format");
    if (format[end] == '%' && end == at + 1) {
      out += '%';
    } else {
      if (used >= given.size()) type_error("not enough arguments for format string");
      out += converted(std::string_view(format).substr(at + 1, end - at), given[used++], budget);
    }
    if (out.size() > budget.limits().text_bytes) budget.text(out.size());
    at = end;
  }
  const bool may_remain = tuple == nullptr && (values.is<Dict>() || values.is<List>());
  if (used < given.size() && !may_remain) type_error("not all arguments converted during string formatting");
  return make_text(std::move(out), budget);
}

const FilterTable& text_filters() {
  static const FilterTable kFilters = {
      {"upper", case_filter},      {"lower", case_filter},    {"title", case_filter},
      {"capitalize", case_filter}, {"trim", trim_filter},     {"replace", replace_filter},
      {"safe", safe_filter},       {"e", escape_filter},      {"escape", escape_filter},
      {"string", string_filter},   {"indent", indent_filter}, {"truncate", truncate_filter},
      {"center", center_filter},   {"format", format_filter}, {"urlencode", urlencode_filter},
      {"tojson", tojson_filter}};
  return kFilters;
}

}  // namespace moelab::text::jinja
