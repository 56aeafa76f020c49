#include "core/model/sparsemixer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

#include <limits>
#include <vector>

namespace moelab::model {

at::Tensor sparsemixer_weights(const at::Tensor& logits, const at::Tensor& ids, double eps) {
  at::Tensor out = at::zeros_like(logits, at::kBool);  // not part of the sum: too far below, or chosen before
  std::vector<at::Tensor> weights;
  for (std::int64_t slot = 0; slot < ids.size(-1); ++slot) {
    const at::Tensor id = ids.narrow(-1, slot, 1);
    const at::Tensor values = logits.detach();
    const at::Tensor own = values.gather(-1, id);
    const at::Tensor far = (own - values) / at::maximum(values.abs(), own) > 2 * eps;
    const at::Tensor near = logits.masked_fill(far.logical_or(out), -std::numeric_limits<float>::infinity());
    weights.push_back(at::softmax(near, -1).gather(-1, id));
    out = out.scatter(-1, id, true);
  }
  return at::cat(weights, -1);
}

}  // namespace moelab::model
