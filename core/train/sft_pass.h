// One pass of supervised fine-tuning: the loss on answer tokens and its gradient in the trained leaves.
#pragma once

#include "core/train/batch.h"
#include "core/train/tuned_model.h"

namespace moelab::train {

// The sum over the batch's targets of their negative log probability, without gradients.
double loss_sum(const TunedModel& tuned, const Batch& batch);

// Adds to the leaves' gradients that of the same sum divided by `divisor`; returns the sum. With `recompute`
// only each layer's input is kept, and the layer's pass is done again for its gradients (Chen et al. 2016,
// arXiv 1604.06174): less memory, a third more time.
double add_gradient(TunedModel& tuned, const Batch& batch, double divisor, bool recompute);

}  // namespace moelab::train
