#include "core/model/rotation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace moelab::model {
namespace {

// Whether each row belongs to a sequence that takes the long frequencies, [tokens] int64: 0 or 1.
at::Tensor takes_long(const RopeScaling& scaling, const Layout& layout) {
  std::vector<std::int64_t> is_long;
  for (const std::int64_t length : layout.lengths) is_long.push_back(length > scaling.original_positions);
  return at::tensor(is_long, at::kLong)
      .to(layout.slots.device())
      .index_select(0, layout.slots.floor_divide(layout.width));
}

// Each pair (a, b) becomes (-b, a).
at::Tensor quarter_turn(const at::Tensor& x, RotaryPairs pairs) {
  const std::int64_t half = x.size(-1) / 2;
  if (pairs == RotaryPairs::half) return at::cat({-x.narrow(-1, half, half), x.narrow(-1, 0, half)}, -1);
  const at::Tensor split = x.unflatten(-1, {half, 2});
  return at::stack({-split.select(-1, 1), split.select(-1, 0)}, -1).flatten(-2);
}

at::Tensor float_tensor(const std::vector<double>& values, const at::Tensor& like) {
  return at::tensor(values, at::kDouble).to(like.options().dtype(at::kFloat));
}

}  // namespace

bool rotation_changes(const AttentionSpec& spec, std::int64_t from, std::int64_t to) {
  if (!spec.rope_scaling || spec.rope_scaling->long_factor.empty()) return false;
  const std::int64_t last_short = spec.rope_scaling->original_positions;
  return (from > last_short) != (to > last_short);
}

Rotation make_rotation(const AttentionSpec& spec, const Layout& layout) {
  const at::Tensor& positions = layout.positions;
  const auto options = positions.options().dtype(at::kFloat);
  const at::Tensor exponents =
      at::arange(0, spec.rotated(), 2, options) / static_cast<double>(spec.rotated());
  at::Tensor wavelengths = at::pow(at::Scalar(spec.rope_theta), exponents);
  at::Tensor scale;
  if (spec.rope_scaling) {
    const RopeScaling& scaling = *spec.rope_scaling;
    wavelengths = wavelengths * float_tensor(scaling.short_factor, positions);
    scale = float_tensor({scaling.short_scale}, positions);
    if (!scaling.long_factor.empty()) {
      const at::Tensor own = at::pow(at::Scalar(spec.rope_theta), exponents);
      const at::Tensor is_long = takes_long(scaling, layout);
      wavelengths = at::stack({wavelengths, own * float_tensor(scaling.long_factor, positions)})
                        .index_select(0, is_long);
      scale = float_tensor({scaling.short_scale, scaling.long_scale}, positions)
                  .index_select(0, is_long)
                  .unsqueeze(-1);
    }
  }
  const at::Tensor half = positions.to(at::kFloat).unsqueeze(-1) * (1.0 / wavelengths);
  const at::Tensor angles =
      spec.pairs == RotaryPairs::half ? at::cat({half, half}, -1) : half.repeat_interleave(2, -1);
  if (!scale.defined()) return {angles.cos(), angles.sin(), spec.pairs};
  return {angles.cos() * scale, angles.sin() * scale, spec.pairs};
}

at::Tensor rotate(const at::Tensor& x, const Rotation& rotation) {
  const std::int64_t rotated = rotation.cosine.size(-1), width = x.size(-1);
  if (rotated < width) {
    const at::Tensor turned = rotate(x.narrow(-1, 0, rotated), rotation);
    return at::cat({turned, x.narrow(-1, rotated, width - rotated)}, -1);
  }
  return x * rotation.cosine.to(x.scalar_type()).unsqueeze(1) +
         quarter_turn(x, rotation.pairs) * rotation.sine.to(x.scalar_type()).unsqueeze(1);
}

}  // namespace moelab::model
