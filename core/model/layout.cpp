#include "core/model/layout.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

namespace moelab::model {
namespace {

std::int64_t length_of(const SequenceShape& shape) {
  return std::accumulate(shape.branches.begin(), shape.branches.end(), shape.trunk);
}

// Marks what each token of one sequence may see in its [width, width] block. Padding rows see the first
// token, so that their softmax is defined; their output is never read.
void fill_mask(const SequenceShape& shape, bool* block, std::int64_t width) {
  for (std::int64_t row = 0; row < shape.trunk; ++row) std::fill_n(block + row * width, row + 1, true);
  std::int64_t start = shape.trunk;
  for (const std::int64_t branch : shape.branches) {
    for (std::int64_t row = start; row < start + branch; ++row) {
      std::fill_n(block + row * width, shape.trunk, true);
      std::fill_n(block + row * width + start, row - start + 1, true);
    }
    start += branch;
  }
  for (std::int64_t row = start; row < width; ++row) block[row * width] = true;
}

}  // namespace

Layout make_layout(std::span<const SequenceShape> shapes, at::Device device) {
  Layout layout;
  layout.sequences = static_cast<std::int64_t>(shapes.size());
  layout.shapes.assign(shapes.begin(), shapes.end());
  bool branches = false;
  bool equal = true;
  for (const SequenceShape& shape : shapes) {
    const std::int64_t length = length_of(shape);
    equal = equal && (layout.width == 0 || length == layout.width);
    layout.width = std::max(layout.width, length);
    layout.tokens += length;
    const auto longest = std::max_element(shape.branches.begin(), shape.branches.end());
    layout.lengths.push_back(shape.trunk + (longest == shape.branches.end() ? 0 : *longest));
    branches = branches || shape.branches.size() > 1;
  }
  layout.is_dense = equal;
  at::Tensor positions = at::empty({layout.tokens}, at::kLong);
  at::Tensor slots = at::empty({layout.tokens}, at::kLong);
  at::Tensor mask;
  if (branches) mask = at::zeros({layout.sequences, 1, layout.width, layout.width}, at::kBool);
  auto* position = positions.mutable_data_ptr<std::int64_t>();
  auto* slot = slots.mutable_data_ptr<std::int64_t>();
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    const std::int64_t base = static_cast<std::int64_t>(s) * layout.width;
    std::int64_t offset = 0;
    for (std::int64_t i = 0; i < shapes[s].trunk; ++i) *position++ = i;
    for (const std::int64_t branch : shapes[s].branches)
      for (std::int64_t i = 0; i < branch; ++i) *position++ = shapes[s].trunk + i;
    for (; offset < length_of(shapes[s]); ++offset) *slot++ = base + offset;
    if (branches) fill_mask(shapes[s], mask.mutable_data_ptr<bool>() + base * layout.width, layout.width);
  }
  layout.positions = positions.to(device);
  layout.slots = slots.to(device);
  if (branches) layout.mask = mask.to(device);
  return layout;
}

Layout make_layout(std::span<const std::int64_t> lengths, at::Device device) {
  std::vector<SequenceShape> shapes;
  for (const std::int64_t length : lengths) shapes.push_back({length, {}});
  return make_layout(shapes, device);
}

}  // namespace moelab::model
