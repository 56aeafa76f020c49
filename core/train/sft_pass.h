// One pass of supervised fine-tuning: the loss on answer tokens and its gradient in the trained leaves.
#pragma once

#include <span>

#include "core/train/batch.h"
#include "core/train/tuned_model.h"

namespace moelab::train {

// The sum over all targets of their negative log probability, without gradients. Each layer's weights are
// formed once for all batches, and none of two layers at a time.
double loss_sum(const TunedModel& tuned, std::span<const Batch> batches);

// Adds to the leaves' gradients that of the same sum divided by `divisor`; returns the sum. With `recompute`
// only each layer's input is kept, and the layer's pass is done again for its gradients (Chen et al. 2016,
// arXiv 1604.06174): less memory, a third more time.
double add_gradient(TunedModel& tuned, const Batch& batch, double divisor, bool recompute);

}  // namespace moelab::train
