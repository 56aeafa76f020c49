// How hard each example pulls at the weights: the norm of its own gradient, by which examples are selected.
#pragma once

#include <span>
#include <vector>

#include "core/train/sft.h"

namespace moelab::train {

// [examples] the L2 norm over all trained leaves, as they are now, of the gradient of the example's own mean
// loss on its answer tokens. Leaves the leaves' gradients at zero. Throws Error naming an example whose norm
// is not finite, ConfigError one that is longer than the model takes.
std::vector<double> gradient_norms(TunedModel& tuned, std::span<const SftExample> examples, bool recompute);

}  // namespace moelab::train
