#include "core/model/mxfp4.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace moelab::model {
namespace {

// By the lower three bits of a code; bit 3 is the sign.
constexpr std::array<float, 8> kMagnitudes = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};

float value_of(unsigned code) {
  const float magnitude = kMagnitudes[code & 7u];
  return (code & 8u) != 0 ? -magnitude : magnitude;
}

class PackedLinear : public torch::autograd::Function<PackedLinear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& blocks, const at::Tensor& scales, const Mxfp4Tables& tables) {
    context->save_for_backward({blocks, scales, tables.pairs, tables.powers});
    return at::linear(x, unpack({blocks, scales, tables}));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor weight = unpack({saved[0], saved[1], {saved[2], saved[3]}});
    return {at::matmul(gradients[0], weight), {}, {}, {}};
  }
};

}  // namespace

Mxfp4Tables make_mxfp4_tables(at::ScalarType dtype, at::Device device) {
  std::vector<float> pairs, powers;
  for (unsigned byte = 0; byte < 256; ++byte) {
    pairs.push_back(value_of(byte & 15u));
    pairs.push_back(value_of(byte >> 4));
    powers.push_back(byte == 255 ? std::numeric_limits<float>::quiet_NaN()
                                 : std::ldexp(1.0f, static_cast<int>(byte) - 127));
  }
  return {at::tensor(pairs, at::kFloat).view({256, 2}).to(device, dtype),
          at::tensor(powers, at::kFloat).to(device)};
}

std::int64_t largest_mxfp4_scale(at::ScalarType dtype) {
  // 6 x 2^125 is the last below 2^128, and 6 x 2^13 the last below 65504.
  return 127 + (dtype == at::kHalf ? 13 : 125);
}

at::Tensor unpack(const Mxfp4Matrix& matrix) {
  const at::Tensor& pairs = matrix.tables.pairs;
  const std::int64_t rows = matrix.blocks.size(0), groups = matrix.blocks.size(1);
  // Both values of a byte are fetched as one word.
  const at::ScalarType word = pairs.element_size() == 4 ? at::kLong : at::kInt;
  at::Tensor values = pairs.view(word)
                          .view({256})
                          .index_select(0, matrix.blocks.reshape({-1}).to(at::kInt))
                          .view(pairs.scalar_type())
                          .view({rows, groups, kMxfp4Group});
  const at::Tensor powers =
      matrix.tables.powers.index_select(0, matrix.scales.reshape({-1}).to(at::kInt)).view({rows, groups, 1});
  // In place, with the product taken in float32 also where the values are 16 bits wide.
  return values.mul_(powers).view({rows, groups * kMxfp4Group});
}

at::Tensor packed_linear(const at::Tensor& x, const Mxfp4Matrix& matrix) {
  if (!x.requires_grad() || !at::GradMode::is_enabled()) return at::linear(x, unpack(matrix));
  return PackedLinear::apply(x, matrix.blocks, matrix.scales, matrix.tables);
}

}  // namespace moelab::model
