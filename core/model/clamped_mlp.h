// The experts of gpt-oss: gate and up rows that alternate, biases, and a SwiGLU whose inputs are clamped.
#pragma once

#include <ATen/core/Tensor.h>

#include <variant>

#include "core/model/mxfp4.h"
#include "core/model/spec.h"

namespace moelab::model {

// [out, in]: plain (any strides) or packed.
using ExpertMatrix = std::variant<at::Tensor, Mxfp4Matrix>;

struct ClampedMlpWeights {
  ExpertMatrix gate_up;     // [2 width, hidden]: even rows gate, odd rows up
  at::Tensor gate_up_bias;  // [2 width]
  ExpertMatrix down;        // [hidden, width]
  at::Tensor down_bias;     // [hidden]
};

// x [tokens, hidden] -> down((up + 1) * gate * sigmoid(alpha * gate)), with gate at most `limit` and up in
// [-limit, limit], both after their biases.
at::Tensor clamped_mlp(const ClampedSwiglu& swiglu, const ClampedMlpWeights& weights, const at::Tensor& x);

}  // namespace moelab::model
