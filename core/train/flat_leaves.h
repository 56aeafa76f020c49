// Leaves for autograd as views into flat buffers, so that the optimiser updates whole groups at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace moelab::train {

// All weights of one kind as one vector; the leaves and their gradients are views into it.
struct FlatGroup {
  at::Tensor weight;    // [n] float32
  at::Tensor gradient;  // [n]
};

struct LeafShape {
  std::string name;
  std::vector<std::int64_t> sizes;
  bool decays = true;  // whether weight decay acts on it

  std::int64_t count() const;
};

struct FlatLeaves {
  std::vector<FlatGroup> groups;                            // [0] leaves that decay; [1] those that do not
  std::vector<std::pair<std::string, at::Tensor>> named{};  // in the order of the shapes
};

// Zeros that require gradients; each leaf's gradient is defined from the start.
FlatLeaves make_leaves(std::span<const LeafShape> shapes, at::Device device);

void zero_gradients(std::vector<FlatGroup>& groups);

// The L2 norm of all gradients together.
double gradient_norm(const std::vector<FlatGroup>& groups);

}  // namespace moelab::train
