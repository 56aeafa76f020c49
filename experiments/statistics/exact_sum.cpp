#include "experiments/statistics/exact_sum.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace moelab::statistics {

void ExactSum::add(std::span<const Outcome> law) {
  std::int64_t largest = 0;
  for (const Outcome& outcome : law) {
    if (outcome.value < 0) throw Error("a count of {} cannot be added up", outcome.value);
    largest = std::max(largest, outcome.value);
  }
  std::vector<double> sums(chances_.size() + static_cast<std::size_t>(largest), 0.0);
  for (const Outcome& outcome : law) {
    const auto shift = static_cast<std::size_t>(outcome.value);
    for (std::size_t s = 0; s < chances_.size(); ++s) sums[s + shift] += chances_[s] * outcome.chance;
  }
  chances_ = std::move(sums);
}

double ExactSum::at_least(std::int64_t s) const {
  const auto first = std::clamp<std::int64_t>(s, 0, std::ssize(chances_));
  return std::min(1.0, std::accumulate(chances_.begin() + first, chances_.end(), 0.0));
}

}  // namespace moelab::statistics
