// Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): the weights that one changes, its factors and the
// change it makes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model/spec.h"

namespace moelab::train {

// How an adapter holds the experts' projections, as PEFT does.
enum class AdapterLayout {
  modules,     // a pair of factors for each projection of each expert
  parameters,  // one for all experts of a layer's gate and up projections together, and one for down
};

struct LoraOptions {
  std::int64_t rank = 16;
  double alpha = 32;  // the change is alpha / rank * B A
  AdapterLayout layout = AdapterLayout::modules;
};

// One adapted weight. A factor of several experts holds theirs as PEFT does: rows e * rank + i of `a`, and
// columns i * experts + e of `b`.
struct LoraSite {
  std::string name;          // published: of a projection without ".weight", or of a fused parameter
  std::int64_t experts = 0;  // of a fused parameter; 0: a projection
  std::int64_t rank = 0;
  double alpha = 0;
  bool is_transposed = false;       // the change of an expert is the transpose of B A
  std::vector<std::int64_t> shape;  // of the weight: [out, in], or [experts, rows, columns]
  // The tensors that it changes, by their names in the model: equal shares of the rows one after the other;
  // of each share one tensor an expert, or one for all experts.
  std::vector<std::vector<std::string>> tensors;
  at::Tensor a;  // [rank, in] or [experts * rank, in]
  at::Tensor b;  // [out, rank] or [out, experts * rank]

  std::vector<std::int64_t> a_sizes() const;
  std::vector<std::int64_t> b_sizes() const;
  double scaling() const { return alpha / static_cast<double>(rank); }
};

// What the site adds to each of its tensors, in float32; differentiable in both factors.
std::vector<std::pair<std::string, at::Tensor>> changes_of(const LoraSite& site);

// Whether `name` or the part of it behind some dot fits a shell pattern: *, ? and [...] as in
// fnmatch(3).
bool fits_pattern(const std::string& pattern, const std::string& name);

}  // namespace moelab::train
