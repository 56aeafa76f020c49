// The values of the template interpreter, with the meaning that Python gives them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/text/template_limits.h"

namespace moelab::text::jinja {

class Value;
class DictData;
struct MacroData;
struct LoopState;

// jinja2's Undefined: empty text, an empty sequence, false; any other use is an error with this message.
struct Undefined {
  std::shared_ptr<const Fault> fault;
};

struct None {};

// UTF-8 text. `safe` is Python's Markup, which the filter `safe` makes.
struct Text {
  std::shared_ptr<const std::string> bytes;
  bool safe = false;
};

// Containers never change once made, so that values can share them; `depth` bounds every recursion over them.
struct Sequence {
  std::vector<Value> items;
  int depth = 1;
};

struct List {
  std::shared_ptr<const Sequence> data;
};

struct Tuple {
  std::shared_ptr<const Sequence> data;
};

struct Dict {
  std::shared_ptr<const DictData> data;
};

// What dict.items(), keys() and values() return.
struct DictView {
  enum class Kind { keys, values, items };
  Kind kind;
  std::shared_ptr<const DictData> data;
};

struct Range {
  std::int64_t start = 0, stop = 0, step = 1;
  std::int64_t size() const;
};

// What filters such as `map` return: it can be walked through once.
struct Generator {
  struct State {
    std::vector<Value> items;
    std::size_t next = 0;
    int depth = 1;
  };
  std::shared_ptr<State> state;
};

// The only value that changes: `{% set ns.name = ... %}`.
struct Namespace {
  std::shared_ptr<DictData> data;
};

// A function of the environment (range, raise_exception, ...).
struct Builtin {
  std::string_view name;
};

// A method of a value, not yet called.
struct Method {
  std::shared_ptr<const Sequence> self;  // one element
  std::string name;
};

struct Macro {
  std::shared_ptr<const MacroData> data;
};

// The variable `loop`.
struct Loop {
  std::shared_ptr<LoopState> state;
};

template <typename T, typename Variant>
inline constexpr bool is_alternative = false;
template <typename T, typename... Types>
inline constexpr bool is_alternative<T, std::variant<Types...>> = (std::is_same_v<T, Types> || ...);

class Value {
 public:
  using Data = std::variant<Undefined, None, bool, std::int64_t, double, Text, List, Tuple, Dict, DictView,
                            Range, Generator, Namespace, Builtin, Method, Macro, Loop>;

  Value() : data_(None{}) {}
  // From any of the alternatives; on purpose without `explicit`.
  template <typename T>
  requires(is_alternative<std::decay_t<T>, Data>) Value(T&& data)
      : data_(std::in_place_type<std::decay_t<T>>, std::forward<T>(data)) {}

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  const Data& data() const { return data_; }

 private:
  Data data_;
};

using Values = std::vector<Value>;

// A Python dict: keys in the order of insertion, 1 == 1.0 == True as keys.
class DictData {
 public:
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value, int max_depth);
  const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  int depth() const { return depth_; }
  void clear() { entries_.clear(), index_.clear(); }

 private:
  std::vector<std::pair<Value, Value>> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  int depth_ = 1;
};

// Makers. Each throws a Fault "Limit" where a limit is passed.
Value make_text(std::string bytes, Budget& budget);
Value make_list(Values items, Budget& budget);
Value make_tuple(Values items, Budget& budget);
Value make_generator(Values items, Budget& budget);
Value make_dict(DictData data);
Value make_undefined(std::string message, std::string type = "UndefinedError");

// "'list object' has no attribute 'x'".
Value missing_attribute(const Value& object, std::string_view name);

// From JSON. Throws a Fault: "Unsupported" for integers beyond 64 bits, "Limit" for nesting.
Value from_json(const Json& json, Budget& budget, int level = 0);

// How deeply containers nest in a value; 0 for what is no container.
int depth_of(const Value& value);

// The name that Python's type(value).__name__ gives.
std::string_view type_name(const Value& value);

// The text of a str, else nothing.
const std::string* text_of(const Value& value);

// int or bool as a number, else nothing.
std::optional<std::int64_t> integer_of(const Value& value);

// int, bool or float as a number, else nothing.
std::optional<double> number_of(const Value& value);

// Python's bool(value).
bool truthy(const Value& value);

// The elements that `for` would walk through; a generator is used up. Throws a Fault "TypeError".
Values iterate(const Value& value, Budget& budget);
bool is_iterable(const Value& value);

// Python's len(value), or nothing where there is none.
std::optional<std::int64_t> length_of(const Value& value);

// Throws the error of an undefined value that is used.
void require_defined(const Value& value);

}  // namespace moelab::text::jinja
