#include "core/model/mxfp4.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
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

// Groups begin .. end-1 of all rows. The product is taken in float32 also where the values are 16 bits wide.
template <typename Value>
void unpack_groups(const Mxfp4Matrix& matrix, Value* values, std::int64_t begin, std::int64_t end) {
  const auto* pairs = matrix.tables.pairs.const_data_ptr<Value>();
  const auto* powers = matrix.tables.powers.const_data_ptr<float>();
  const auto* scales = matrix.scales.const_data_ptr<std::uint8_t>();
  const auto* bytes = matrix.blocks.const_data_ptr<std::uint8_t>() + begin * kMxfp4Group / 2;
  values += begin * kMxfp4Group;
  for (std::int64_t group = begin; group < end; ++group) {
    const float power = powers[scales[group]];
    for (std::int64_t i = 0; i < kMxfp4Group / 2; ++i) {
      const Value* pair = pairs + 2 * *bytes++;
      *values++ = static_cast<Value>(static_cast<float>(pair[0]) * power);
      *values++ = static_cast<Value>(static_cast<float>(pair[1]) * power);
    }
  }
}

template <typename Value>
at::Tensor unpack_on_cpu(const Mxfp4Matrix& packed) {
  const Mxfp4Matrix matrix{packed.blocks.contiguous(),
                           packed.scales.contiguous(),
                           {packed.tables.pairs.contiguous(), packed.tables.powers.contiguous()}};
  constexpr std::int64_t kGroupsOfOneThread = 1024;
  const std::int64_t rows = matrix.blocks.size(0), groups = matrix.blocks.size(1);
  const at::Tensor out = at::empty({rows, groups * kMxfp4Group}, matrix.tables.pairs.options());
  auto* values = out.mutable_data_ptr<Value>();
  at::parallel_for(0, rows * groups, kGroupsOfOneThread, [&](std::int64_t begin, std::int64_t end) {
    unpack_groups<Value>(matrix, values, begin, end);
  });
  return out;
}

// Rows that are unpacked at once. On the CPU few enough that their memory stays in the cache and is used
// again for the next ones: to fill fresh memory takes several times as long.
std::int64_t rows_at_once(const Mxfp4Matrix& matrix) {
  constexpr std::int64_t kOnCpu = 256;
  return matrix.blocks.is_cpu() ? kOnCpu : matrix.blocks.size(0);
}

// Rows start .. start + count - 1 of the matrix, unpacked.
at::Tensor unpack_rows(const Mxfp4Matrix& matrix, std::int64_t start, std::int64_t count) {
  return unpack(
      {matrix.blocks.narrow(0, start, count), matrix.scales.narrow(0, start, count), matrix.tables});
}

// x times the transposed matrix.
at::Tensor times_packed(const at::Tensor& x, const Mxfp4Matrix& matrix) {
  const std::int64_t rows = matrix.blocks.size(0), step = rows_at_once(matrix);
  std::vector<at::Tensor> parts;
  for (std::int64_t start = 0; start < rows; start += step)
    parts.push_back(at::linear(x, unpack_rows(matrix, start, std::min(step, rows - start))));
  return parts.size() == 1 ? parts[0] : at::cat(parts, -1);
}

// The gradient of x from that of the product; its parts are summed in float32.
at::Tensor gradient_through_packed(const at::Tensor& gradient, const Mxfp4Matrix& matrix) {
  const std::int64_t rows = matrix.blocks.size(0), step = rows_at_once(matrix);
  at::Tensor sum;
  for (std::int64_t start = 0; start < rows; start += step) {
    const std::int64_t count = std::min(step, rows - start);
    const at::Tensor part =
        at::matmul(gradient.narrow(-1, start, count), unpack_rows(matrix, start, count)).to(at::kFloat);
    sum = sum.defined() ? sum.add_(part) : part;
  }
  return sum.to(gradient.scalar_type());
}

class PackedLinear : public torch::autograd::Function<PackedLinear> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& blocks, const at::Tensor& scales, const Mxfp4Tables& tables) {
    context->save_for_backward({blocks, scales, tables.pairs, tables.powers});
    return times_packed(x, {blocks, scales, tables});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {gradient_through_packed(gradients[0], {saved[0], saved[1], {saved[2], saved[3]}}), {}, {}, {}};
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
  const at::ScalarType type = matrix.tables.pairs.scalar_type();
  if (!matrix.blocks.is_cpu()) return unpack_by_tensors(matrix);
  if (type == at::kFloat) return unpack_on_cpu<float>(matrix);
  if (type == at::kBFloat16) return unpack_on_cpu<at::BFloat16>(matrix);
  if (type == at::kHalf) return unpack_on_cpu<at::Half>(matrix);
  return unpack_by_tensors(matrix);
}

at::Tensor unpack_by_tensors(const Mxfp4Matrix& matrix) {
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
  if (!x.requires_grad() || !at::GradMode::is_enabled()) return times_packed(x, matrix);
  return PackedLinear::apply(x, matrix.blocks, matrix.scales, matrix.tables);
}

}  // namespace moelab::model
