#include "core/text/template_builtins.h"

#include <algorithm>
#include <array>

#include "core/text/template_repr.h"

namespace moelab::text::jinja {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"range",        "dict",   "namespace", "raise_exception",
                                                    "strftime_now", "lipsum", "cycler",    "joiner"};
// The sandbox of jinja2 refuses longer ranges.
constexpr std::int64_t kMaxRange = 100000;

Value make_range(const CallArguments& arguments) {
  require_count(arguments, "range", 1, 3);
  std::vector<std::int64_t> given;
  for (const Value& value : arguments.positional) {
    const auto integer = integer_of(value);
    if (!integer) type_error("'{}' object cannot be interpreted as an integer", type_name(value));
    if (*integer > INT64_MAX / 4 || *integer < INT64_MIN / 4)
      fail("OverflowError", "Range too big. The sandbox blocks ranges larger than {}.", kMaxRange);
    given.push_back(*integer);
  }
  Range range;
  range.start = given.size() > 1 ? given[0] : 0;
  range.stop = given.size() > 1 ? given[1] : given[0];
  range.step = given.size() > 2 ? given[2] : 1;
  if (range.step == 0) fail("ValueError", "range() arg 3 must not be zero");
  if (range.size() > kMaxRange)
    fail("OverflowError", "Range too big. The sandbox blocks ranges larger than {}.", kMaxRange);
  return range;
}

DictData make_dict_data(const CallArguments& arguments, Budget& budget) {
  if (arguments.positional.size() > 1)
    type_error("dict expected at most 1 argument, got {}", arguments.positional.size());
  DictData data;
  const int nesting = budget.limits().nesting;
  if (!arguments.positional.empty()) {
    const Value& given = arguments.positional[0];
    if (const auto* dict = given.as<Dict>()) {
      data = *dict->data;
    } else {
      for (const Value& item : iterate(given, budget)) {
        const Values pair = iterate(item, budget);
        if (pair.size() != 2)
          fail("ValueError", "dictionary update sequence element has length {}; 2 is required", pair.size());
        data.set(pair[0], pair[1], nesting);
      }
    }
  }
  for (const auto& [name, value] : arguments.named) data.set(make_text(name, budget), value, nesting);
  budget.items(data.entries().size());
  return data;
}

Value raise_exception(const CallArguments& arguments, Budget& budget) {
  const Bound bound(arguments, "raise_exception", {"message"}, 1);
  throw Fault{"TemplateError", to_text(*bound[0], budget)};
}

Value strftime_now(const CallArguments& arguments, const Environment& environment, Budget& budget) {
  const Bound bound(arguments, "strftime_now", {"format"}, 1);
  const auto format = bound.text(0);
  if (!format) type_error("strftime() argument 1 must be str, not None");
  if (!environment.date)
    fail("ValueError",
         "the template asks for today's date (strftime_now) and none was given; set one in the request");
  return make_text(format_date(*environment.date, *format), budget);
}

}  // namespace

std::optional<Value> find_builtin(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? std::nullopt : std::optional<Value>(Builtin{*found});
}

Value call_builtin(std::string_view name, const CallArguments& arguments, const Environment& environment,
                   Budget& budget) {
  if (name == "range") return make_range(arguments);
  if (name == "dict") return make_dict(make_dict_data(arguments, budget));
  if (name == "raise_exception") return raise_exception(arguments, budget);
  if (name == "strftime_now") return strftime_now(arguments, environment, budget);
  unsupported("the function '{}'", name);
}

std::shared_ptr<DictData> make_namespace(const CallArguments& arguments, Budget& budget) {
  auto data = std::make_shared<DictData>(make_dict_data(arguments, budget));
  for (const auto& [key, value] : data->entries())
    if (const auto* name = text_of(key)) check_namespace_name(*name);
  return data;
}

void check_namespace_name(std::string_view name) {
  if (name.starts_with('_'))
    fail("SecurityError",
         "Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{}'.", name);
}

}  // namespace moelab::text::jinja
