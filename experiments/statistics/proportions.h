// Intervals for one proportion, such as a cell's accuracy.
#pragma once

#include <cstdint>

namespace moelab::statistics {

struct Interval {
  double lo = 0;
  double hi = 0;
};

// The two-sided standard normal quantile of a confidence level: 1.96 for 0.95. Throws Error unless 0 < level
// < 1.
double two_sided_quantile(double confidence);

// Half the width of Student's interval for a mean of n values, two at the least.
double student_half_width(double standard_error, std::int64_t n, double confidence);

// Wilson's score interval (E. B. Wilson, JASA 22, 1927) for `successes` of `n`; the whole of [0, 1] when n is
// 0. Throws Error when the counts are negative or successes > n.
Interval wilson_interval(std::int64_t successes, std::int64_t n, double confidence = 0.95);

}  // namespace moelab::statistics
