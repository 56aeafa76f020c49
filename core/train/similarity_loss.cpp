#include "core/train/similarity_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/triu_indices.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/engine/unit_gram.h"

namespace moelab::train {

at::Tensor similarity_loss(const model::Model& model, std::int64_t layer, const at::Tensor& input,
                           const at::Tensor& ids, const SimilarityLossOptions& options) {
  const std::int64_t distance = (input.size(0) + options.tokens - 1) / options.tokens;
  const at::Tensor rows = input.slice(0, 0, std::nullopt, distance);
  const at::Tensor hits = at::bincount(ids.flatten(), {}, model.spec().router.experts).cpu();
  std::vector<at::Tensor> grams;
  for (std::int64_t e = 0; e < hits.size(0); ++e)
    if (hits.const_data_ptr<std::int64_t>()[e] > 0)
      grams.push_back(engine::unit_gram(model.expert(layer, e, rows)));
  const auto selected = static_cast<std::int64_t>(grams.size());
  if (selected < 2 || rows.size(0) < 2) return at::zeros({});
  const at::Tensor all = at::stack(grams);
  const at::Tensor pairs = at::triu_indices(selected, selected, /*offset=*/1);
  const at::Tensor cka = all.matmul(all.t()).flatten().index_select(0, pairs[0] * selected + pairs[1]);
  const at::Tensor most = std::get<0>(at::topk(cka, std::min(options.pairs, cka.size(0))));
  return at::relu(most - options.threshold).mean();
}

}  // namespace moelab::train
