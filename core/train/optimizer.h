// AdamW over flat buffers, with warm-up, cosine or linear decay and clipping by the global gradient norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/train/flat_leaves.h"
#include "core/train/options.h"

namespace moelab::train {

// Linear from 0 (exclusive) to the peak over the warm-up, then by options.schedule to floor x peak at the last step. `step`
// counts from 0.
double learning_rate_at(std::int64_t step, std::int64_t steps, const OptimizerOptions& options);

class AdamW {
 public:
  AdamW(const std::vector<FlatGroup>& groups, const OptimizerOptions& options);

  // Scales the gradients so that their norm is at most options.clip; returns the norm before.
  double clip(std::vector<FlatGroup>& groups) const;

  // One update (Loshchilov & Hutter 2019), `step` counting from 0; weights without a gradient count as gradient 0.
  void update(std::vector<FlatGroup>& groups, double learning_rate, std::int64_t step);

  // First and second moments of each group, for checkpoints.
  std::vector<at::Tensor>& first() { return first_; }
  std::vector<at::Tensor>& second() { return second_; }

 private:
  OptimizerOptions options_;
  std::vector<at::Tensor> first_, second_;
};

}  // namespace moelab::train
