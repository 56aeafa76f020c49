#include "core/config/override_functions.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/config/nearest.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

using ValueKind = Value::Kind;

[[noreturn]] void fail(const FunctionCall& call, std::string_view why) {
  throw ConfigError("{}(): {}", call.name, why);
}

bool is_number(const Value& value) {
  return value.kind == ValueKind::scalar && (value.scalar.is_number() || value.scalar.is_boolean());
}

bool is_text(const Value& value) { return value.kind == ValueKind::scalar && value.scalar.is_string(); }

bool is_null(const Value& value) { return value.kind == ValueKind::scalar && value.scalar.is_null(); }

// A value that can be an element of a list: not a sweep, and not null where `null_too` is not set.
bool is_element(const Value& value, bool null_too = false) {
  return !value.is_sweep() && value.kind != ValueKind::extension && (null_too || !is_null(value));
}

// A truth value counts as 0 or 1 where a number is asked for, as in Python.
Json number_of(const Value& value) {
  return value.scalar.is_boolean() ? Json(value.scalar.get<bool>() ? 1 : 0) : value.scalar;
}

void allow_names(const FunctionCall& call, std::vector<std::string> allowed) {
  for (const auto& [name, value] : call.named) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      fail(call, fmt::format("there is no argument '{}'{}", name, did_you_mean(name, allowed)));
    }
  }
}

const Value* named(const FunctionCall& call, const std::string& name) {
  const auto found = call.named.find(name);
  return found == call.named.end() || is_null(found->second) ? nullptr : &found->second;
}

// The arguments in the order of `names`, given by place or by name; null pointers for what is left out.
std::vector<const Value*> bind(const FunctionCall& call, const std::vector<std::string>& names) {
  allow_names(call, names);
  if (call.arguments.size() > names.size())
    fail(call, fmt::format("takes no more than {} arguments", names.size()));
  std::vector<const Value*> bound(names.size(), nullptr);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) bound[i] = &call.arguments[i];
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = call.named.find(names[i]);
    if (found == call.named.end()) continue;
    if (bound[i] != nullptr) fail(call, fmt::format("'{}' is given twice", names[i]));
    bound[i] = &found->second;
  }
  return bound;
}

Value choice(const FunctionCall& call) {
  allow_names(call, {});
  if (call.arguments.empty()) fail(call, "at least one value is needed");
  const Value& first = call.arguments.front();
  if (call.arguments.size() == 1 && first.kind == ValueKind::choice) {
    if (!first.is_simple) fail(call, "a choice inside a choice is not possible");
    Value result = first;
    result.is_simple = false;
    return result;
  }
  for (const Value& argument : call.arguments) {
    if (!is_element(argument)) fail(call, "values must be texts, numbers, truth values, lists or mappings");
  }
  return {.kind = ValueKind::choice, .items = call.arguments};
}

Value range(const FunctionCall& call) {
  const std::vector<const Value*> given = bind(call, {"start", "stop", "step"});
  if (given[0] == nullptr) fail(call, "'start' is missing");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool may_be_null = i == 1;
    if (given[i] != nullptr && !is_number(*given[i]) && !(may_be_null && is_null(*given[i]))) {
      fail(call, "start, stop and step must be numbers");
    }
  }
  const bool has_stop = given[1] != nullptr && !is_null(*given[1]);
  const Json start = has_stop ? number_of(*given[0]) : Json(0);
  const Json stop = number_of(has_stop ? *given[1] : *given[0]);
  const Json step = given[2] != nullptr ? number_of(*given[2]) : Json(1);
  return {.kind = ValueKind::range, .items = {{.scalar = start}, {.scalar = stop}, {.scalar = step}}};
}

Value interval(const FunctionCall& call) {
  const std::vector<const Value*> given = bind(call, {"start", "end"});
  Value result{.kind = ValueKind::interval};
  for (const Value* bound : given) {
    if (bound == nullptr || !is_number(*bound)) fail(call, "needs two numbers, start and end");
    result.items.push_back({.scalar = number_of(*bound).get<double>()});
  }
  return result;
}

Value glob(const FunctionCall& call) {
  const std::vector<const Value*> given = bind(call, {"include", "exclude"});
  if (given[0] == nullptr) fail(call, "a pattern is needed");
  Value result{.kind = ValueKind::glob};
  for (std::size_t i = 0; i < given.size(); ++i) {
    std::vector<std::string>& patterns = i == 0 ? result.include : result.exclude;
    if (given[i] == nullptr || (i == 1 && is_null(*given[i]))) continue;
    const bool is_list = given[i]->kind == ValueKind::list;
    const std::span<const Value> items = is_list ? std::span(given[i]->items) : std::span(given[i], 1);
    for (const Value& item : items) {
      if (!is_text(item) && item.kind != ValueKind::quoted)
        fail(call, "patterns must be a text or a list of texts");
      patterns.push_back(item.scalar.get<std::string>());
    }
  }
  return result;
}

Value tag(const FunctionCall& call) {
  allow_names(call, {"sweep"});
  std::vector<Value> arguments = call.arguments;
  if (arguments.empty()) fail(call, "needs tags and a sweep");
  if (const Value* sweep = named(call, "sweep")) arguments.push_back(*sweep);
  Value result = std::move(arguments.back());
  arguments.pop_back();
  if (!result.is_sweep() || result.kind == ValueKind::glob)
    fail(call, "the last argument must be a choice, range or interval");
  result.tags.clear();
  for (const Value& argument : arguments) {
    if (!is_text(argument)) fail(call, "a tag must be a text");
    result.tags.insert(argument.scalar.get<std::string>());
  }
  return result;
}

// What sort() and shuffle() work on: one argument, sweep=, list=, or several values, which are a choice.
Value ordered_argument(const FunctionCall& call) {
  if (const Value* list = named(call, "list")) {
    if (list->kind != ValueKind::list) fail(call, "list= must be a list");
    return *list;
  }
  if (const Value* sweep = named(call, "sweep")) {
    if (sweep->kind != ValueKind::choice && sweep->kind != ValueKind::range) {
      fail(call, "sweep= must be a choice or a range");
    }
    return *sweep;
  }
  for (const Value& argument : call.arguments) {
    const bool fits =
        argument.kind == ValueKind::choice || argument.kind == ValueKind::range || is_element(argument);
    if (!fits) fail(call, "takes values, a list, a choice or a range");
  }
  if (call.arguments.size() == 1) return call.arguments.front();
  for (const Value& argument : call.arguments) {
    if (argument.is_sweep()) fail(call, "several arguments must be plain values");
  }
  return {.kind = ValueKind::choice, .items = call.arguments, .is_simple = true};
}

Value shuffle(const FunctionCall& call) {
  allow_names(call, {"sweep", "list"});
  Value value = ordered_argument(call);
  if (value.is_sweep()) {
    value.is_shuffled = true;
    return value;
  }
  if (value.kind != ValueKind::list) return {.kind = ValueKind::list, .items = {std::move(value)}};
  RandomStream stream(0, call.seed_text);
  stream.shuffle(std::span(value.items));
  return value;
}

// Python's order: numbers and truth values by size, texts by code point, lists by their first difference.
bool is_less(const FunctionCall& call, const Value& left, const Value& right) {
  if (is_number(left) && is_number(right)) {
    const Json a = number_of(left), b = number_of(right);
    return a < b;
  }
  if (is_text(left) && is_text(right)) return left.scalar < right.scalar;
  if (left.kind == ValueKind::list && right.kind == ValueKind::list) {
    return std::lexicographical_compare(left.items.begin(), left.items.end(), right.items.begin(),
                                        right.items.end(),
                                        [&](const Value& a, const Value& b) { return is_less(call, a, b); });
  }
  fail(call, "these values cannot be compared with each other");
}

void sort_items(const FunctionCall& call, std::vector<Value>& items, bool reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const Value& left, const Value& right) {
    return reverse ? is_less(call, right, left) : is_less(call, left, right);
  });
}

Json plus(const Json& left, const Json& right, int sign) {
  if (!left.is_number_float() && !right.is_number_float()) {
    return left.get<std::int64_t>() + sign * right.get<std::int64_t>();
  }
  return left.get<double>() + sign * right.get<double>();
}

Json absolute(const Json& value) {
  if (value.is_number_float()) return std::abs(value.get<double>());
  return std::abs(value.get<std::int64_t>());
}

// Turns a range round when it runs the wrong way: its last element becomes the first.
void sort_range(Value& range_value, bool reverse) {
  Json& start = range_value.items[0].scalar;
  Json& stop = range_value.items[1].scalar;
  Json& step = range_value.items[2].scalar;
  if (reverse ? !(start < stop) : !(stop < start)) return;
  const int sign = reverse ? -1 : 1;
  const Json new_start = plus(stop, absolute(step), sign);
  stop = plus(start, absolute(step), sign);
  start = new_start;
  step = plus(Json(0), step, -1);
}

Value sort(const FunctionCall& call) {
  allow_names(call, {"sweep", "list", "reverse"});
  bool reverse = false;
  if (const auto found = call.named.find("reverse"); found != call.named.end()) {
    if (found->second.kind != ValueKind::scalar || !found->second.scalar.is_boolean())
      fail(call, "reverse= must be true or false");
    reverse = found->second.scalar.get<bool>();
  }
  if (call.arguments.empty() && named(call, "list") == nullptr && named(call, "sweep") == nullptr) {
    fail(call, "there is nothing to sort");
  }
  Value value = ordered_argument(call);
  if (value.kind == ValueKind::range) {
    sort_range(value, reverse);
  } else if (value.kind == ValueKind::choice || value.kind == ValueKind::list) {
    sort_items(call, value.items, reverse);
  }
  return value;
}

Value cast(const FunctionCall& call, Cast type) {
  allow_names(call, {"value"});
  const Value* value = named(call, "value");
  if (call.arguments.empty() == (value == nullptr)) fail(call, "takes values, or value=, and not both");
  std::vector<Value> all = call.arguments;
  if (value != nullptr) all = {*value};
  for (const Value& item : all) {
    if (item.kind == ValueKind::glob || item.kind == ValueKind::extension)
      fail(call, "this value cannot be cast");
  }
  try {
    if (all.size() == 1) return cast_value(all.front(), type);
    return cast_value({.kind = ValueKind::choice, .items = std::move(all), .is_simple = true}, type);
  } catch (const ConfigError& problem) {
    fail(call, problem.what());
  }
}

Value extend_list(const FunctionCall& call) {
  allow_names(call, {});
  for (const Value& argument : call.arguments) value_json(argument);
  return {.kind = ValueKind::extension, .items = call.arguments};
}

using Function = Value (*)(const FunctionCall&);

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all{
      {"choice", choice},
      {"range", range},
      {"interval", interval},
      {"glob", glob},
      {"tag", tag},
      {"sort", sort},
      {"shuffle", shuffle},
      {"extend_list", extend_list},
      {"int", [](const FunctionCall& call) { return cast(call, Cast::integer); }},
      {"float", [](const FunctionCall& call) { return cast(call, Cast::floating); }},
      {"str", [](const FunctionCall& call) { return cast(call, Cast::text); }},
      {"bool", [](const FunctionCall& call) { return cast(call, Cast::boolean); }},
      {"json_str", [](const FunctionCall& call) { return cast(call, Cast::json); }},
  };
  return all;
}

}  // namespace

Value call_function(const FunctionCall& call) {
  const auto found = functions().find(call.name);
  if (found != functions().end()) return found->second(call);
  std::vector<std::string> names;
  for (const auto& [name, function] : functions()) names.push_back(name);
  throw ConfigError("there is no function '{}'; nearest first: {}", call.name,
                    join_names(nearest_first(call.name, names), names.size()));
}

}  // namespace moelab::config
