// The elements of sweeps. A range with a float in it is counted as Python's decimal module does: the exact
// values of the floats, every sum rounded to 28 digits.
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/config/override_values.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr std::size_t max_elements = 1'000'000;
constexpr std::size_t decimal_precision = 28;  // of Python's default decimal context

// coefficient * 10^exponent
struct Decimal {
  Integer coefficient;
  int exponent = 0;
};

Decimal exact_decimal(const Json& value) {
  if (!value.is_number_float()) return {Integer(value.get<std::int64_t>()), 0};
  int exponent = 0;
  const double mantissa = std::frexp(value.get<double>(), &exponent);
  Decimal result{Integer(static_cast<std::int64_t>(std::ldexp(mantissa, 53))), 0};
  exponent -= 53;
  if (exponent >= 0) {
    result.coefficient <<= exponent;
  } else {  // 2^-n is 5^n 10^-n
    result.coefficient *= boost::multiprecision::pow(Integer(5), static_cast<unsigned>(-exponent));
    result.exponent = exponent;
  }
  return result;
}

void align(Decimal& left, Decimal& right) {
  Decimal& coarse = left.exponent > right.exponent ? left : right;
  const int finer = std::min(left.exponent, right.exponent);
  coarse.coefficient *=
      boost::multiprecision::pow(Integer(10), static_cast<unsigned>(coarse.exponent - finer));
  coarse.exponent = finer;
}

bool is_less(Decimal left, Decimal right) {
  align(left, right);
  return left.coefficient < right.coefficient;
}

// Half to even at 28 digits.
Decimal rounded(Decimal value) {
  const std::size_t digits = Integer(boost::multiprecision::abs(value.coefficient)).str().size();
  if (digits <= decimal_precision) return value;
  const auto extra = static_cast<unsigned>(digits - decimal_precision);
  const Integer unit = boost::multiprecision::pow(Integer(10), extra);
  Integer quotient, rest;
  boost::multiprecision::divide_qr(Integer(boost::multiprecision::abs(value.coefficient)), unit, quotient,
                                   rest);
  const Integer twice = rest * 2;
  if (twice > unit || (twice == unit && quotient % 2 != 0)) ++quotient;
  return {value.coefficient < 0 ? -quotient : quotient, value.exponent + static_cast<int>(extra)};
}

Decimal sum(Decimal left, Decimal right) {
  align(left, right);
  return rounded({left.coefficient + right.coefficient, left.exponent});
}

double to_double(const Decimal& value) {
  return parse_float(fmt::format("{}e{}", value.coefficient.str(), value.exponent));
}

void check_count(std::size_t count) {
  if (count > max_elements) throw ConfigError("the range has more than {} elements", max_elements);
}

std::vector<Value> float_range(const Value& range) {
  for (const Value& bound : range.items) {
    if (bound.scalar.is_number_float() && !std::isfinite(bound.scalar.get<double>())) {
      throw ConfigError("a range needs finite numbers, got {}", python_str(bound.scalar));
    }
  }
  Decimal at = exact_decimal(range.items[0].scalar);
  const Decimal stop = exact_decimal(range.items[1].scalar), step = exact_decimal(range.items[2].scalar);
  if (step.coefficient == 0) throw ConfigError("the step of a range must not be 0");
  std::vector<Value> elements;
  while (step.coefficient > 0 ? is_less(at, stop) : is_less(stop, at)) {
    elements.push_back({.scalar = to_double(at)});
    check_count(elements.size());
    at = sum(at, step);
  }
  return elements;
}

std::vector<Value> integer_range(const Value& range) {
  const auto start = range.items[0].scalar.get<std::int64_t>(),
             stop = range.items[1].scalar.get<std::int64_t>(),
             step = range.items[2].scalar.get<std::int64_t>();
  if (step == 0) throw ConfigError("the step of a range must not be 0");
  std::vector<Value> elements;
  for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
    elements.push_back({.scalar = at});
    check_count(elements.size());
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return elements;
}

}  // namespace

std::vector<Value> enumerate(const Value& sweep, std::string_view seed_text) {
  if (sweep.kind == Value::Kind::interval) {
    throw ConfigError("an interval has no elements: a sweep needs choices or a range");
  }
  std::vector<Value> elements;
  if (sweep.kind == Value::Kind::choice) {
    elements = sweep.items;
  } else if (sweep.kind == Value::Kind::range) {
    bool has_float = false;
    for (const Value& bound : sweep.items) has_float = has_float || bound.scalar.is_number_float();
    elements = has_float ? float_range(sweep) : integer_range(sweep);
  }
  if (sweep.is_shuffled) {
    RandomStream stream(0, seed_text);
    stream.shuffle(std::span(elements));
  }
  return elements;
}

}  // namespace moelab::config
