#include "experiments/statistics/proportions.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "core/base/error.h"

namespace moelab::statistics {

double two_sided_quantile(double confidence) {
  if (!(confidence > 0 && confidence < 1)) throw Error("confidence {} must lie between 0 and 1", confidence);
  // The upper tail directly, so that levels close to 1 keep their digits.
  return boost::math::quantile(boost::math::complement(boost::math::normal(), (1 - confidence) / 2));
}

double student_half_width(double standard_error, std::int64_t n, double confidence) {
  const boost::math::students_t t(static_cast<double>(n - 1));
  return boost::math::quantile(t, (1 + confidence) / 2) * standard_error;
}

Interval wilson_interval(std::int64_t successes, std::int64_t n, double confidence) {
  if (successes < 0 || successes > n) throw Error("{} successes of {} is no proportion", successes, n);
  const double z = two_sided_quantile(confidence);
  if (n == 0) return {0, 1};
  const double count = static_cast<double>(n);
  const double p = static_cast<double>(successes) / count;
  const double z2 = z * z;
  const double centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half = z / (1 + z2 / count) * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  // The limits are exactly 0 and 1 at the ends; rounding would leave 1e-17 there.
  return {successes == 0 ? 0 : std::max(0.0, centre - half),
          successes == n ? 1 : std::min(1.0, centre + half)};
}

}  // namespace moelab::statistics
