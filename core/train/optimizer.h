// AdamW over flat buffers, with warm-up, cosine or linear decay and clipping by the global gradient norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/error.h"
#include "core/train/flat_leaves.h"
#include "core/train/options.h"

namespace moelab::train {

// Linear from 0 (exclusive) to the peak over the warm-up, then by options.schedule to floor x peak at the
// last step. `step` counts from 0.
double learning_rate_at(std::int64_t step, std::int64_t steps, const OptimizerOptions& options);

// A loss far above the first ones, or a loss or gradient that is not finite.
class Exploded : public Error {
  using Error::Error;
};

// What the weights gave a step before its update.
struct StepMeasure {
  double loss = 0;
  double gradient_norm = 0;  // before clipping
};

// A step is measure(), whatever the caller checks then, and update(); `step` counts from 0.
class AdamW {
 public:
  AdamW(const std::vector<FlatGroup>& groups, const OptimizerOptions& options);

  // Zeroes the gradients, calls `backward`, which adds those of the loss that it returns, and scales them so
  // that their norm is at most options.clip. Throws Exploded for a loss or norm that is not finite.
  StepMeasure measure(std::vector<FlatGroup>& groups, std::int64_t step,
                      const std::function<double()>& backward) const;

  // One update (Loshchilov & Hutter 2019) at the rate of the step of `steps`, which it returns; weights
  // without a gradient count as gradient 0.
  double update(std::vector<FlatGroup>& groups, std::int64_t step, std::int64_t steps);

  // First and second moments of each group, for checkpoints.
  std::vector<at::Tensor>& first() { return first_; }
  std::vector<at::Tensor>& second() { return second_; }

 private:
  OptimizerOptions options_;
  std::vector<at::Tensor> first_, second_;
};

}  // namespace moelab::train
