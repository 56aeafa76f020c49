#include "core/text/template_tests.h"

#include <optional>
#include <unordered_map>

#include "core/text/template_filters.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

struct TestCall {
  std::string_view name;
  const Value& value;
  const CallArguments& arguments;
  Budget& budget;
};

using TestFunction = bool (*)(const TestCall&);

bool is_sequence(const Value& value) {
  return value.is<Text>() || value.is<List>() || value.is<Tuple>() || value.is<Dict>() || value.is<Range>() ||
         value.is<Undefined>();
}

bool is_callable(const Value& value) {
  return value.is<Builtin>() || value.is<Method>() || value.is<Macro>() || value.is<Loop>() ||
         value.is<Undefined>();
}

bool remainder_is(const TestCall& call, const Value& divisor, std::int64_t wanted) {
  return equal(arithmetic(Arithmetic::modulo, call.value, divisor, call.budget), wanted, call.budget);
}

bool known_name(const TestCall& call, bool (*known)(std::string_view)) {
  const auto* name = text_of(call.value);
  if (name == nullptr && (call.value.is<List>() || call.value.is<Dict>()))
    type_error("unhashable type: '{}'", type_name(call.value));
  return name != nullptr && known(*name);
}

// Tests without arguments.
const std::unordered_map<std::string_view, TestFunction>& plain_tests() {
  using C = const TestCall&;
  static const std::unordered_map<std::string_view, TestFunction> kTests = {
      {"defined", [](C c) { return !c.value.is<Undefined>(); }},
      {"undefined", [](C c) { return c.value.is<Undefined>(); }},
      {"none", [](C c) { return c.value.is<None>(); }},
      {"boolean", [](C c) { return c.value.is<bool>(); }},
      {"true", [](C c) { return c.value.is<bool>() && *c.value.as<bool>(); }},
      {"false", [](C c) { return c.value.is<bool>() && !*c.value.as<bool>(); }},
      {"integer", [](C c) { return c.value.is<std::int64_t>(); }},
      {"float", [](C c) { return c.value.is<double>(); }},
      {"number", [](C c) { return number_of(c.value).has_value(); }},
      {"string", [](C c) { return c.value.is<Text>(); }},
      {"mapping", [](C c) { return c.value.is<Dict>(); }},
      {"sequence", [](C c) { return is_sequence(c.value); }},
      {"iterable", [](C c) { return is_iterable(c.value); }},
      {"callable", [](C c) { return is_callable(c.value); }},
      {"escaped", [](C c) { return c.value.is<Text>() && c.value.as<Text>()->safe; }},
      {"odd", [](C c) { return remainder_is(c, std::int64_t{2}, 1); }},
      {"even", [](C c) { return remainder_is(c, std::int64_t{2}, 0); }},
      {"lower", [](C c) { return all_of_class(to_text(c.value, c.budget), CharacterClass::lower); }},
      {"upper", [](C c) { return all_of_class(to_text(c.value, c.budget), CharacterClass::upper); }},
      {"filter", [](C c) { return known_name(c, is_jinja_filter); }},
      {"test", [](C c) { return known_name(c, is_jinja_test); }}};
  return kTests;
}

std::optional<Comparison> comparison(std::string_view name) {
  static const std::unordered_map<std::string_view, Comparison> kComparisons = {
      {"==", Comparison::equal},         {"eq", Comparison::equal},
      {"equalto", Comparison::equal},    {"!=", Comparison::unequal},
      {"ne", Comparison::unequal},       {">", Comparison::greater},
      {"gt", Comparison::greater},       {"greaterthan", Comparison::greater},
      {">=", Comparison::greater_equal}, {"ge", Comparison::greater_equal},
      {"<", Comparison::less},           {"lt", Comparison::less},
      {"lessthan", Comparison::less},    {"<=", Comparison::less_equal},
      {"le", Comparison::less_equal},    {"in", Comparison::in}};
  const auto found = kComparisons.find(name);
  return found == kComparisons.end() ? std::nullopt : std::optional(found->second);
}

// Python's `is`, for the values of which there is only one.
bool same_object(const Value& left, const Value& right, Budget& budget) {
  const auto single = [](const Value& value) { return value.is<None>() || value.is<bool>(); };
  if (single(left) != single(right)) return false;
  if (!single(left)) unsupported("the test 'sameas' on values other than true, false and none");
  return left.data().index() == right.data().index() && equal(left, right, budget);
}

}  // namespace

bool apply_test(std::string_view name, const Value& value, const CallArguments& arguments, Budget& budget) {
  budget.spend(1);
  if (const auto found = plain_tests().find(name); found != plain_tests().end()) {
    require_count(arguments, name, 0, 0);
    return found->second({name, value, arguments, budget});
  }
  if (!is_jinja_test(name)) fail("TemplateRuntimeError", "No test named '{}' found.", name);
  if (arguments.positional.size() + arguments.named.size() != 1)
    type_error("the test '{}' takes 1 argument but {} were given", name,
               arguments.positional.size() + arguments.named.size());
  if (!arguments.named.empty()) unsupported("a named argument of the test '{}'", name);
  const Value& other = arguments.positional[0];
  if (name == "sameas") return same_object(value, other, budget);
  if (name == "divisibleby") return remainder_is({name, value, arguments, budget}, other, 0);
  return compare(*comparison(name), value, other, budget);
}

bool is_jinja_test(std::string_view name) {
  return plain_tests().contains(name) || comparison(name) || name == "sameas" || name == "divisibleby";
}

}  // namespace moelab::text::jinja
