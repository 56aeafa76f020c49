#include "core/engine/unit_gram.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

namespace moelab::engine {

at::Tensor unit_gram(const at::Tensor& outputs) {
  // Means of equal values are off by rounding, and what is left of them would pass for a signal.
  constexpr double kRounding = 1e-6;
  const at::Tensor wide = outputs.to(at::kFloat);
  const at::Tensor centred = wide - wide.mean(0, true);
  const at::Tensor is_rounding = (centred.abs() <= kRounding * wide.abs().amax(0, true)).all(0, true);
  const at::Tensor kept = at::where(is_rounding, at::zeros_like(centred), centred);
  const at::Tensor gram = kept.matmul(kept.t()).flatten();
  return gram / gram.norm().clamp_min(std::numeric_limits<float>::min());
}

}  // namespace moelab::engine
