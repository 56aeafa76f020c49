#include "core/text/template_operators.h"

#include <algorithm>
#include <cmath>
#include <compare>

#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

std::string_view symbol(Comparison op) {
  switch (op) {
    case Comparison::less:
      return "<";
    case Comparison::less_equal:
      return "<=";
    case Comparison::greater:
      return ">";
    default:
      return ">=";
  }
}

bool equal_items(const Values& left, const Values& right, Budget& budget) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [&](const Value& a, const Value& b) { return equal(a, b, budget); });
}

bool equal_dicts(const DictData& left, const DictData& right, Budget& budget) {
  if (left.entries().size() != right.entries().size()) return false;
  return std::all_of(left.entries().begin(), left.entries().end(), [&](const auto& entry) {
    const Value* other = right.find(entry.first);
    return other != nullptr && equal(entry.second, *other, budget);
  });
}

// 80-bit floats hold every 64-bit integer, so that mixed comparisons are exact as in Python.
std::optional<std::partial_ordering> order_numbers(const Value& left, const Value& right) {
  const auto a = integer_of(left), b = integer_of(right);
  if (a && b) return *a <=> *b;
  const auto x = number_of(left), y = number_of(right);
  if (!x || !y) return std::nullopt;
  const auto wide = [](const std::optional<std::int64_t>& integer, double real) {
    return integer ? static_cast<long double>(*integer) : static_cast<long double>(real);
  };
  return wide(a, *x) <=> wide(b, *y);
}

std::partial_ordering order(Comparison op, const Value& left, const Value& right, Budget& budget);

std::partial_ordering order_items(Comparison op, const Values& left, const Values& right, Budget& budget) {
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
    if (!equal(left[i], right[i], budget)) return order(op, left[i], right[i], budget);
  return left.size() <=> right.size();
}

std::partial_ordering order(Comparison op, const Value& left, const Value& right, Budget& budget) {
  budget.spend(1);
  require_defined(left);
  require_defined(right);
  if (const auto numbers = order_numbers(left, right)) return *numbers;
  if (text_of(left) != nullptr && text_of(right) != nullptr) {
    budget.spend(std::min(text_of(left)->size(), text_of(right)->size()) / 32);
    return text_of(left)->compare(*text_of(right)) <=> 0;
  }
  if (left.is<List>() && right.is<List>())
    return order_items(op, left.as<List>()->data->items, right.as<List>()->data->items, budget);
  if (left.is<Tuple>() && right.is<Tuple>())
    return order_items(op, left.as<Tuple>()->data->items, right.as<Tuple>()->data->items, budget);
  type_error("'{}' not supported between instances of '{}' and '{}'", symbol(op), type_name(left),
             type_name(right));
}

[[noreturn]] void unsupported_operands(std::string_view op, const Value& left, const Value& right) {
  require_defined(left);
  require_defined(right);
  type_error("unsupported operand type(s) for {}: '{}' and '{}'", op, type_name(left), type_name(right));
}

// `compute` is one of the compiler's functions that say whether the result overflows.
template <typename Compute>
std::int64_t checked(Compute compute) {
  std::int64_t result = 0;
  if (compute(&result)) unsupported("an integer of more than 64 bits");
  return result;
}

Value repeated(const Value& sequence, std::int64_t times, Budget& budget) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(times, 0));
  if (const auto* text = sequence.as<Text>()) {
    if (text->safe) unsupported("repeating a 'safe' text");
    if (count != 0 && text->bytes->size() > budget.limits().text_bytes / count) budget.text(UINT64_MAX);
    std::string out;
    for (std::uint64_t i = 0; i < count && !text->bytes->empty(); ++i) out += *text->bytes;
    return make_text(std::move(out), budget);
  }
  const auto* list = sequence.as<List>();
  const Values& items = list != nullptr ? list->data->items : sequence.as<Tuple>()->data->items;
  if (count != 0 && items.size() > budget.limits().list_items / count) budget.items(UINT64_MAX);
  Values out;
  for (std::uint64_t i = 0; i < count && !items.empty(); ++i)
    out.insert(out.end(), items.begin(), items.end());
  return list != nullptr ? make_list(std::move(out), budget) : make_tuple(std::move(out), budget);
}

// A 'safe' text escapes what it is joined with.
Value add_texts(const Text& left, const Text& right, Budget& budget) {
  budget.text(left.bytes->size() + right.bytes->size());
  if (left.safe == right.safe) {
    auto bytes = std::make_shared<const std::string>(*left.bytes + *right.bytes);
    return Text{std::move(bytes), left.safe};
  }
  const std::string bytes = (left.safe ? *left.bytes : escape_html(*left.bytes)) +
                            (right.safe ? *right.bytes : escape_html(*right.bytes));
  budget.text(bytes.size());
  return Text{std::make_shared<const std::string>(bytes), true};
}

Value add(const Value& left, const Value& right, Budget& budget) {
  if (left.is<Text>() && right.is<Text>()) return add_texts(*left.as<Text>(), *right.as<Text>(), budget);
  const auto joined = [&](const Values& a, const Values& b) {
    budget.items(a.size() + b.size());
    Values out = a;
    out.insert(out.end(), b.begin(), b.end());
    return out;
  };
  if (left.is<List>() && right.is<List>())
    return make_list(joined(left.as<List>()->data->items, right.as<List>()->data->items), budget);
  if (left.is<Tuple>() && right.is<Tuple>())
    return make_tuple(joined(left.as<Tuple>()->data->items, right.as<Tuple>()->data->items), budget);
  require_defined(left);
  require_defined(right);
  if (left.is<Text>()) type_error("can only concatenate str (not \"{}\") to str", type_name(right));
  if (left.is<List>()) type_error("can only concatenate list (not \"{}\") to list", type_name(right));
  unsupported_operands("+", left, right);
}

Value floor_divide(const Value& left, const Value& right) {
  const auto a = integer_of(left), b = integer_of(right);
  if (a && b) {
    if (*b == 0) fail("ZeroDivisionError", "integer division or modulo by zero");
    if (*a == INT64_MIN && *b == -1) unsupported("an integer of more than 64 bits");
    const std::int64_t quotient = *a / *b;
    return quotient - ((*a % *b != 0 && (*a < 0) != (*b < 0)) ? 1 : 0);
  }
  const double y = *number_of(right);
  if (y == 0) fail("ZeroDivisionError", "float floor division by zero");
  const double x = *number_of(left);
  double rest = std::fmod(x, y);
  if (rest != 0 && (rest < 0) != (y < 0)) rest += y;
  const double quotient = (x - rest) / y;
  const double floored = std::floor(quotient);
  return floored + (quotient - floored > 0.5 ? 1.0 : 0.0);
}

Value modulo(const Value& left, const Value& right) {
  const auto a = integer_of(left), b = integer_of(right);
  if (a && b) {
    if (*b == 0) fail("ZeroDivisionError", "integer modulo by zero");
    if (*b == -1) return std::int64_t{0};
    const std::int64_t rest = *a % *b;
    return rest + ((rest != 0 && (rest < 0) != (*b < 0)) ? *b : 0);
  }
  const double y = *number_of(right);
  if (y == 0) fail("ZeroDivisionError", "float modulo");
  double rest = std::fmod(*number_of(left), y);
  if (rest != 0 && (rest < 0) != (y < 0)) rest += y;
  return rest == 0 ? std::copysign(0.0, y) : rest;
}

Value power(const Value& left, const Value& right) {
  const auto base = integer_of(left), exponent = integer_of(right);
  if (!base || !exponent || *exponent < 0) {
    const double x = *number_of(left), y = *number_of(right);
    if (x == 0 && y < 0) fail("ZeroDivisionError", "0.0 cannot be raised to a negative power");
    if (x < 0 && std::floor(y) != y) unsupported("a complex number");
    const double result = std::pow(x, y);
    if (std::isinf(result) && std::isfinite(x) && std::isfinite(y))
      fail("OverflowError", "Numerical result out of range");
    return result;
  }
  std::int64_t result = 1;
  if (*base == 0 || *base == 1) return *exponent == 0 ? std::int64_t{1} : *base;
  if (*base == -1) return *exponent % 2 == 0 ? std::int64_t{1} : std::int64_t{-1};
  for (std::int64_t i = 0; i < *exponent; ++i)
    result = checked([&](std::int64_t* out) { return __builtin_mul_overflow(result, *base, out); });
  return result;
}

Value on_numbers(Arithmetic op, const Value& left, const Value& right) {
  const auto a = integer_of(left), b = integer_of(right);
  switch (op) {
    case Arithmetic::add:
      if (a && b) return checked([&](std::int64_t* out) { return __builtin_add_overflow(*a, *b, out); });
      return *number_of(left) + *number_of(right);
    case Arithmetic::subtract:
      if (a && b) return checked([&](std::int64_t* out) { return __builtin_sub_overflow(*a, *b, out); });
      return *number_of(left) - *number_of(right);
    case Arithmetic::multiply:
      if (a && b) return checked([&](std::int64_t* out) { return __builtin_mul_overflow(*a, *b, out); });
      return *number_of(left) * *number_of(right);
    case Arithmetic::divide:
      if (*number_of(right) == 0) fail("ZeroDivisionError", "division by zero");
      if (a && b &&
          (std::abs(static_cast<long double>(*a)) > 9e15L || std::abs(static_cast<long double>(*b)) > 9e15L))
        return static_cast<double>(static_cast<long double>(*a) / static_cast<long double>(*b));
      return *number_of(left) / *number_of(right);
    case Arithmetic::floor_divide:
      return floor_divide(left, right);
    case Arithmetic::modulo:
      return modulo(left, right);
    case Arithmetic::power:
      return power(left, right);
  }
  return None{};
}

std::string_view symbol(Arithmetic op) {
  static constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return kSymbols[static_cast<std::size_t>(op)];
}

bool is_repeatable(const Value& value) { return value.is<Text>() || value.is<List>() || value.is<Tuple>(); }

// One end of a slice, in the way of Python's slice.indices.
std::int64_t slice_end(const Value& value, std::int64_t length, bool backwards, std::int64_t otherwise) {
  if (value.is<None>()) return otherwise;
  const auto given = integer_of(value);
  if (!given) type_error("slice indices must be integers or None or have an __index__ method");
  const std::int64_t at = *given < 0 ? std::max<std::int64_t>(*given + length, backwards ? -1 : 0) : *given;
  return std::min(at, backwards ? length - 1 : length);
}

std::vector<std::size_t> slice_indices(std::int64_t length, const Value& start, const Value& stop,
                                       const Value& step) {
  std::int64_t stride = 1;
  if (!step.is<None>()) {
    const auto given = integer_of(step);
    if (!given) type_error("slice indices must be integers or None or have an __index__ method");
    if (*given == 0) fail("ValueError", "slice step cannot be zero");
    stride = std::clamp<std::int64_t>(*given, -length - 1, length + 1);
  }
  const bool backwards = stride < 0;
  const std::int64_t from = slice_end(start, length, backwards, backwards ? length - 1 : 0);
  const std::int64_t to = slice_end(stop, length, backwards, backwards ? -1 : length);
  std::vector<std::size_t> indices;
  for (std::int64_t i = from; backwards ? i > to : i < to; i += stride)
    indices.push_back(static_cast<std::size_t>(i));
  return indices;
}

}  // namespace

bool equal(const Value& left, const Value& right, Budget& budget) {
  budget.spend(1);
  if (const auto numbers = order_numbers(left, right)) return *numbers == std::partial_ordering::equivalent;
  if (left.data().index() != right.data().index()) return false;
  if (const auto* text = text_of(left)) {
    budget.spend(text->size() / 32);
    return *text == *text_of(right);
  }
  if (left.is<Undefined>() || left.is<None>()) return true;
  if (const auto* list = left.as<List>())
    return equal_items(list->data->items, right.as<List>()->data->items, budget);
  if (const auto* tuple = left.as<Tuple>())
    return equal_items(tuple->data->items, right.as<Tuple>()->data->items, budget);
  if (const auto* dict = left.as<Dict>()) return equal_dicts(*dict->data, *right.as<Dict>()->data, budget);
  if (left.is<Range>()) return equal_items(iterate(left, budget), iterate(right, budget), budget);
  if (const auto* space = left.as<Namespace>()) return space->data == right.as<Namespace>()->data;
  if (const auto* macro = left.as<Macro>()) return macro->data == right.as<Macro>()->data;
  if (const auto* loop = left.as<Loop>()) return loop->state == right.as<Loop>()->state;
  if (const auto* builtin = left.as<Builtin>()) return builtin->name == right.as<Builtin>()->name;
  if (const auto* generator = left.as<Generator>()) return generator->state == right.as<Generator>()->state;
  unsupported("comparing values of type '{}'", type_name(left));
}

bool less(const Value& left, const Value& right, Budget& budget) {
  return order(Comparison::less, left, right, budget) < 0;
}

bool compare(Comparison op, const Value& left, const Value& right, Budget& budget) {
  switch (op) {
    case Comparison::equal:
      return equal(left, right, budget);
    case Comparison::unequal:
      return !equal(left, right, budget);
    case Comparison::in:
      return contains(right, left, budget);
    case Comparison::not_in:
      return !contains(right, left, budget);
    case Comparison::less:
      return order(op, left, right, budget) < 0;
    case Comparison::less_equal:
      return order(op, left, right, budget) <= 0;
    case Comparison::greater:
      return order(op, left, right, budget) > 0;
    case Comparison::greater_equal:
      return order(op, left, right, budget) >= 0;
  }
  return false;
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (const auto* text = text_of(container)) {
    const auto* part = text_of(item);
    if (part == nullptr) type_error("'in <string>' requires string as left operand, not {}", type_name(item));
    budget.spend(text->size() / 32);
    return text->find(*part) != std::string::npos;
  }
  if (const auto* dict = container.as<Dict>()) return dict->data->find(item) != nullptr;
  if (const auto* view = container.as<DictView>(); view != nullptr && view->kind == DictView::Kind::keys)
    return view->data->find(item) != nullptr;
  if (!is_iterable(container)) type_error("argument of type '{}' is not iterable", type_name(container));
  if (const auto* generator = container.as<Generator>()) {
    auto& state = *generator->state;
    while (state.next < state.items.size())
      if (equal(state.items[state.next++], item, budget)) return true;
    return false;
  }
  const Values items = iterate(container, budget);
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& other) { return equal(other, item, budget); });
}

Value arithmetic(Arithmetic op, const Value& left, const Value& right, Budget& budget) {
  if (number_of(left) && number_of(right)) return on_numbers(op, left, right);
  if (op == Arithmetic::add) return add(left, right, budget);
  if (op == Arithmetic::multiply) {
    if (is_repeatable(left) && integer_of(right)) return repeated(left, *integer_of(right), budget);
    if (is_repeatable(right) && integer_of(left)) return repeated(right, *integer_of(left), budget);
  }
  if (op == Arithmetic::modulo && left.is<Text>()) return format_percent(left, right, budget);
  unsupported_operands(symbol(op), left, right);
}

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&#34;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

Value signed_value(bool negative, const Value& operand) {
  require_defined(operand);
  if (const auto integer = integer_of(operand))
    return negative ? checked([&](std::int64_t* out) { return __builtin_sub_overflow(0, *integer, out); })
                    : *integer;
  if (const auto* real = operand.as<double>()) return negative ? -*real : *real;
  type_error("bad operand type for unary {}: '{}'", negative ? "-" : "+", type_name(operand));
}

Value slice(const Value& value, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  require_defined(value);
  if (const auto* text = value.as<Text>()) {
    if (text->safe) unsupported("a part of a 'safe' text");
    const std::u32string characters = decode(*text->bytes);
    budget.items(characters.size() / 32);
    std::u32string part;
    for (const std::size_t i : slice_indices(static_cast<std::int64_t>(characters.size()), start, stop, step))
      part += characters[i];
    return make_text(encode(part), budget);
  }
  if (value.is<Dict>()) type_error("unhashable type: 'slice'");
  if (value.is<Range>()) unsupported("a part of a range");
  if (!value.is<List>() && !value.is<Tuple>())
    type_error("'{}' object is not subscriptable", type_name(value));
  const Values items = iterate(value, budget);
  budget.spend(items.size());
  Values part;
  for (const std::size_t i : slice_indices(static_cast<std::int64_t>(items.size()), start, stop, step))
    part.push_back(items[i]);
  return value.is<List>() ? make_list(std::move(part), budget) : make_tuple(std::move(part), budget);
}

}  // namespace moelab::text::jinja
