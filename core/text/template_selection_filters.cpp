// The filters that apply another filter or a test to every element.
#include "core/text/template_filter_tables.h"
#include "core/text/template_filters.h"
#include "core/text/template_tests.h"

namespace moelab::text::jinja {
namespace {

// The arguments behind the first `count`, for the filter or test that they name.
CallArguments rest_of(const CallArguments& arguments, std::size_t count) {
  CallArguments rest = arguments;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + static_cast<std::ptrdiff_t>(count));
  return rest;
}

std::string name_of(const Value& value) {
  const auto* text = text_of(value);
  if (text == nullptr) unsupported("a filter or test named by a value of type '{}'", type_name(value));
  return *text;
}

Value map_attribute(const FilterCall& call, const Value& attribute) {
  const Value* otherwise = call.arguments.find("default");
  for (const auto& [name, value] : call.arguments.named)
    if (name != "attribute" && name != "default")
      fail("FilterArgumentError", "Unexpected keyword argument '{}'", name);
  const AttributePath path(&attribute, call.budget);
  const bool has_default = otherwise != nullptr && !otherwise->is<None>();
  if (has_default && text_of(attribute) != nullptr && text_of(attribute)->find('.') != std::string::npos)
    unsupported("the filter 'map' with a default and a path of several attributes");
  Values out;
  for (const Value& item : iterate(call.input, call.budget)) {
    Value value = path.read(item, call.budget);
    out.push_back(has_default && value.is<Undefined>() ? *otherwise : std::move(value));
  }
  return make_generator(std::move(out), call.budget);
}

Value map_filter(const FilterCall& call) {
  if (!truthy(call.input)) return make_generator({}, call.budget);
  const Value* attribute = call.arguments.find("attribute");
  if (call.arguments.positional.empty() && attribute != nullptr) return map_attribute(call, *attribute);
  if (call.arguments.positional.empty()) fail("FilterArgumentError", "map requires a filter argument");
  const std::string name = name_of(call.arguments.positional[0]);
  const CallArguments rest = rest_of(call.arguments, 1);
  Values out;
  for (const Value& item : iterate(call.input, call.budget))
    out.push_back(apply_filter(name, item, rest, call.budget));
  return make_generator(std::move(out), call.budget);
}

Value select_filter(const FilterCall& call) {
  if (!truthy(call.input)) return make_generator({}, call.budget);
  const bool by_attribute = call.name.ends_with("attr");
  const bool wanted = call.name.starts_with("select");
  const Values& given = call.arguments.positional;
  if (by_attribute && given.empty()) fail("FilterArgumentError", "Missing parameter for attribute name");
  const AttributePath path(by_attribute ? &given[0] : nullptr, call.budget);
  const std::size_t test_at = by_attribute ? 1 : 0;
  const bool has_test = given.size() > test_at;
  const std::string test = has_test ? name_of(given[test_at]) : "";
  const CallArguments rest = has_test ? rest_of(call.arguments, test_at + 1) : CallArguments();
  Values out;
  for (const Value& item : iterate(call.input, call.budget)) {
    const Value value = path.read(item, call.budget);
    if ((has_test ? apply_test(test, value, rest, call.budget) : truthy(value)) == wanted)
      out.push_back(item);
  }
  return make_generator(std::move(out), call.budget);
}

}  // namespace

const FilterTable& selection_filters() {
  static const FilterTable kFilters = {{"map", map_filter},
                                       {"select", select_filter},
                                       {"reject", select_filter},
                                       {"selectattr", select_filter},
                                       {"rejectattr", select_filter}};
  return kFilters;
}

}  // namespace moelab::text::jinja
