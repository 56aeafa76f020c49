#include "core/train/flat_leaves.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <cmath>

namespace moelab::train {

std::int64_t LeafShape::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

FlatLeaves make_leaves(std::span<const LeafShape> shapes, at::Device device) {
  std::array<std::int64_t, 2> sizes{}, used{};
  for (const LeafShape& shape : shapes) sizes[shape.decays ? 0 : 1] += shape.count();
  FlatLeaves leaves;
  const at::TensorOptions options = at::TensorOptions(device).dtype(at::kFloat);
  for (const std::int64_t size : sizes)
    leaves.groups.push_back({at::zeros({size}, options), at::zeros({size}, options)});
  for (const LeafShape& shape : shapes) {
    const std::size_t g = shape.decays ? 0 : 1;
    const auto view = [&](const at::Tensor& flat) {
      return flat.narrow(0, used[g], shape.count()).view(shape.sizes);
    };
    at::Tensor leaf = view(leaves.groups[g].weight).detach().requires_grad_(true);
    leaf.mutable_grad() = view(leaves.groups[g].gradient);
    leaves.named.emplace_back(shape.name, leaf);
    used[g] += shape.count();
  }
  return leaves;
}

void zero_gradients(std::vector<FlatGroup>& groups) {
  for (FlatGroup& group : groups) group.gradient.zero_();
}

double gradient_norm(const std::vector<FlatGroup>& groups) {
  double squares = 0;
  for (const FlatGroup& group : groups) {
    const double norm = at::linalg_vector_norm(group.gradient, 2).item<double>();
    squares += norm * norm;
  }
  return std::sqrt(squares);
}

}  // namespace moelab::train
