#include "core/train/sample_norms.h"

#include <cmath>

namespace moelab::train {

std::vector<double> gradient_norms(TunedModel& tuned, std::span<const SftExample> examples, bool recompute) {
  require_room(examples, tuned.spec());
  auto& groups = tuned.leaves().groups;
  std::vector<double> norms;
  for (const SftExample& example : examples) {
    const Row row = {&example.document};
    const Batch batch = pack({&row, 1}, tuned.device());
    zero_gradients(groups);
    add_gradient(tuned, batch, static_cast<double>(batch.target.size(0)), recompute);
    norms.push_back(gradient_norm(groups));
    if (!std::isfinite(norms.back()))
      throw Error("the example '{}': its gradient norm is {}; check the model, or leave the example out",
                  example.name, norms.back());
  }
  zero_gradients(groups);
  return norms;
}

}  // namespace moelab::train
