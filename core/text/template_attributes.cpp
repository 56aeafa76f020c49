// Attributes and items of values: get_attribute and get_item of template_operators.h.
#include <algorithm>
#include <span>

#include "core/text/template_loop.h"
#include "core/text/template_macro.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

using Names = std::span<const std::string_view>;

bool among(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::string_view kTextMethods[] = {
    "strip",       "lstrip",       "rstrip",       "split",     "rsplit",     "splitlines",   "startswith",
    "endswith",    "replace",      "upper",        "lower",     "title",      "capitalize",   "join",
    "find",        "rfind",        "index",        "rindex",    "count",      "isdigit",      "isalpha",
    "isalnum",     "isspace",      "islower",      "isupper",   "ljust",      "rjust",        "center",
    "zfill",       "removeprefix", "removesuffix", "partition", "rpartition", "casefold",     "encode",
    "expandtabs",  "format",       "format_map",   "isascii",   "isdecimal",  "isidentifier", "isnumeric",
    "isprintable", "istitle",      "maketrans",    "swapcase",  "translate"};
// What every Python object has, and the sandbox withholds.
constexpr std::string_view kObjectAttributes[] = {"__class__", "__doc__",   "__init__", "__new__",
                                                  "__str__",   "__repr__",  "__eq__",   "__hash__",
                                                  "__dir__",   "__reduce__"};
constexpr std::string_view kListMethods[] = {"count", "index", "copy"};
constexpr std::string_view kListChangers[] = {"append", "clear", "pop",    "reverse",
                                              "insert", "sort",  "extend", "remove"};
constexpr std::string_view kTupleMethods[] = {"count", "index"};
constexpr std::string_view kDictMethods[] = {"get", "items", "keys", "values", "copy", "fromkeys"};
constexpr std::string_view kDictChangers[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kNumberAttributes[] = {
    "real",       "imag",      "numerator",  "denominator", "bit_length", "conjugate",       "to_bytes",
    "from_bytes", "bit_count", "is_integer", "hex",         "fromhex",    "as_integer_ratio"};

Value method(const Value& self, const std::string& name, Budget& budget) {
  Values one{self};
  const int depth = depth_of(self) + 1;
  if (depth > budget.limits().nesting) budget.items(UINT64_MAX);
  return Method{std::make_shared<const Sequence>(Sequence{std::move(one), depth}), name};
}

Value unsafe(const Value& object, const std::string& name) {
  return make_undefined(
      fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, type_name(object)),
      "SecurityError");
}

std::optional<Value> loop_attribute(LoopState& loop, const Value& self, const std::string& name,
                                    Budget& budget) {
  if (name == "index") return loop.index0 + 1;
  if (name == "index0") return loop.index0;
  if (name == "revindex") return loop.length() - loop.index0;
  if (name == "revindex0") return loop.length() - loop.index0 - 1;
  if (name == "first") return loop.index0 == 0;
  if (name == "last") return !loop.peek().has_value();
  if (name == "length") return loop.length();
  if (name == "depth") return loop.depth0 + 1;
  if (name == "depth0") return loop.depth0;
  if (name == "previtem")
    return loop.index0 == 0 ? make_undefined("there is no previous item") : *loop.before;
  if (name == "nextitem") return loop.peek() ? *loop.peek() : make_undefined("there is no next item");
  if (name == "cycle" || name == "changed") return method(self, name, budget);
  return std::nullopt;
}

std::optional<Value> range_attribute(const Range& range, const std::string& name) {
  if (name == "start") return range.start;
  if (name == "stop") return range.stop;
  if (name == "step") return range.step;
  if (name == "count" || name == "index") unsupported("the attribute '{}' of a range", name);
  return std::nullopt;
}

std::optional<Value> container_attribute(const Value& object, const std::string& name, Names methods,
                                         Names changers, Budget& budget) {
  if (among(methods, name)) return method(object, name, budget);
  if (among(changers, name)) return unsafe(object, name);
  return std::nullopt;
}

// What Python's getattr finds.
std::optional<Value> python_attribute(const Value& object, const std::string& name, Budget& budget) {
  if (name.starts_with("__") && name.ends_with("__")) {
    const auto* dict = object.as<Dict>();
    if (dict != nullptr && dict->data->find(name) != nullptr) unsupported("the attribute '{}'", name);
    return among(kObjectAttributes, name) ? std::optional<Value>(unsafe(object, name)) : std::nullopt;
  }
  if (object.is<Text>()) return container_attribute(object, name, kTextMethods, {}, budget);
  if (object.is<List>()) return container_attribute(object, name, kListMethods, kListChangers, budget);
  if (object.is<Tuple>()) return container_attribute(object, name, kTupleMethods, {}, budget);
  if (object.is<Dict>()) return container_attribute(object, name, kDictMethods, kDictChangers, budget);
  if (const auto* range = object.as<Range>()) return range_attribute(*range, name);
  if (const auto* loop = object.as<Loop>()) return loop_attribute(*loop->state, object, name, budget);
  if (const auto* space = object.as<Namespace>()) {
    const Value* found = space->data->find(name);
    return found != nullptr ? std::optional<Value>(*found) : std::nullopt;
  }
  if (const auto* macro = object.as<Macro>(); macro != nullptr && name == "name") {
    const std::string& macro_name = macro->data->callable->name;
    return macro_name.empty() ? Value() : make_text(macro_name, budget);
  }
  if (number_of(object) && among(kNumberAttributes, name))
    unsupported("the attribute '{}' of a number", name);
  if (object.is<DictView>() || object.is<Generator>() || object.is<Macro>() || object.is<Method>() ||
      object.is<Builtin>())
    unsupported("the attribute '{}' of a value of type '{}'", name, type_name(object));
  return std::nullopt;
}

std::optional<Value> at_index(const Values& items, std::int64_t index) {
  const auto size = static_cast<std::int64_t>(items.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return items[static_cast<std::size_t>(index)];
}

std::optional<Value> character_at(const Text& text, std::int64_t index, Budget& budget) {
  if (text.safe) unsupported("a part of a 'safe' text");
  budget.spend(text.bytes->size() / 32);
  const std::u32string characters = decode(*text.bytes);
  const auto size = static_cast<std::int64_t>(characters.size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return make_text(encode(characters.substr(static_cast<std::size_t>(index), 1)), budget);
}

std::optional<Value> dict_item(const DictData& dict, const Value& key) {
  try {
    const Value* found = dict.find(key);
    return found != nullptr ? std::optional<Value>(*found) : std::nullopt;
  } catch (const Fault& fault) {
    if (fault.type == "TypeError")
      return std::nullopt;  // a key that Python cannot hash is a key that is absent
    throw;
  }
}

// What "object[index]" finds.
std::optional<Value> python_item(const Value& object, const Value& index, Budget& budget) {
  if (const auto* dict = object.as<Dict>()) return dict_item(*dict->data, index);
  const auto number = integer_of(index);
  if (!number) return std::nullopt;
  if (const auto* list = object.as<List>()) return at_index(list->data->items, *number);
  if (const auto* tuple = object.as<Tuple>()) return at_index(tuple->data->items, *number);
  if (const auto* text = object.as<Text>()) return character_at(*text, *number, budget);
  if (const auto* range = object.as<Range>()) {
    const std::int64_t at = *number < 0 ? *number + range->size() : *number;
    if (at >= 0 && at < range->size()) return range->start + at * range->step;
  }
  return std::nullopt;
}

}  // namespace

Value get_attribute(const Value& object, const std::string& name, Budget& budget) {
  require_defined(object);
  if (auto found = python_attribute(object, name, budget)) return *std::move(found);
  if (const auto* dict = object.as<Dict>())
    if (const Value* found = dict->data->find(name)) return *found;
  return missing_attribute(object, name);
}

Value get_item(const Value& object, const Value& index, Budget& budget) {
  require_defined(object);
  if (auto found = python_item(object, index, budget)) return *std::move(found);
  const auto* name = text_of(index);
  if (name == nullptr)
    return make_undefined(fmt::format("{} object has no element {}", type_name(object), repr(index, budget)));
  if (auto found = python_attribute(object, *name, budget)) return *std::move(found);
  return missing_attribute(object, *name);
}

}  // namespace moelab::text::jinja
