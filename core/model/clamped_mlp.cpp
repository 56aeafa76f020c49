#include "core/model/clamped_mlp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>

namespace moelab::model {
namespace {

at::Tensor multiply(const at::Tensor& x, const ExpertMatrix& matrix, const at::Tensor& bias) {
  if (const auto* plain = std::get_if<at::Tensor>(&matrix)) return at::linear(x, *plain, bias);
  const at::Tensor y = packed_linear(x, std::get<Mxfp4Matrix>(matrix));
  return bias.defined() ? y + bias : y;
}

}  // namespace

at::Tensor clamped_mlp(const ClampedSwiglu& swiglu, const ClampedMlpWeights& weights, const at::Tensor& x) {
  const at::Tensor both = multiply(x, weights.gate_up, weights.gate_up_bias);
  const at::Tensor gate = at::clamp_max(both.slice(-1, 0, std::nullopt, 2), swiglu.limit);
  const at::Tensor up = at::clamp(both.slice(-1, 1, std::nullopt, 2), -swiglu.limit, swiglu.limit);
  return multiply((up + 1.0) * gate * at::sigmoid(gate * swiglu.alpha), weights.down, weights.down_bias);
}

}  // namespace moelab::model
