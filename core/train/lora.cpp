#include "core/train/lora.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/matmul.h>
#include <fnmatch.h>

namespace moelab::train {
namespace {

// Both factors' product for all experts of a fused parameter: [experts, rows, columns].
at::Tensor fused_change(const LoraSite& site) {
  const at::Tensor a = site.a.view({site.experts, site.rank, site.a.size(1)});
  const at::Tensor b = site.b.view({site.b.size(0), site.rank, site.experts}).permute({2, 0, 1});
  const at::Tensor product = at::bmm(b, a) * site.scaling();
  return site.is_transposed ? product.transpose(1, 2) : product;
}

}  // namespace

std::vector<std::int64_t> LoraSite::a_sizes() const {
  if (experts == 0) return {rank, shape[1]};
  return {experts * rank, is_transposed ? shape[1] : shape[2]};
}

std::vector<std::int64_t> LoraSite::b_sizes() const {
  if (experts == 0) return {shape[0], rank};
  return {is_transposed ? shape[2] : shape[1], experts * rank};
}

std::vector<std::pair<std::string, at::Tensor>> changes_of(const LoraSite& site) {
  if (site.experts == 0) return {{site.tensors[0][0], at::matmul(site.b, site.a) * site.scaling()}};
  const at::Tensor all = fused_change(site);
  if (site.tensors[0].size() == 1) return {{site.tensors[0][0], all}};
  std::vector<std::pair<std::string, at::Tensor>> changes;
  // Splits and unbinds, not slices: the backward of a slice makes a full tensor.
  const auto parts = all.split(all.size(1) / static_cast<std::int64_t>(site.tensors.size()), 1);
  for (std::size_t part = 0; part < site.tensors.size(); ++part) {
    const auto experts = parts[part].unbind(0);
    for (std::size_t e = 0; e < experts.size(); ++e) changes.emplace_back(site.tensors[part][e], experts[e]);
  }
  return changes;
}

bool fits_pattern(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
         ::fnmatch(("*." + pattern).c_str(), name.c_str(), 0) == 0;
}

}  // namespace moelab::train
