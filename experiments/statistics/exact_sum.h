// The exact distribution of a sum of independent whole numbers, by convolution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moelab::statistics {

struct Outcome {
  std::int64_t value = 0;  // not negative
  double chance = 0;
};

class ExactSum {
 public:
  // Adds a number with that law, of which values may come more than once. Steps: outcomes x the largest sum
  // so far.
  void add(std::span<const Outcome> law);

  // [s]: the chance of the sum s, from 0 to the largest that can be.
  const std::vector<double>& chances() const { return chances_; }

  // The chance of s or more; rounding never takes it above 1.
  double at_least(std::int64_t s) const;

 private:
  std::vector<double> chances_ = {1};
};

}  // namespace moelab::statistics
