#include "core/discovery/expert_similarity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/random.h"
#include "core/engine/unit_gram.h"

namespace moelab::discovery {
namespace {

std::vector<engine::TokenPlace> draw_places(std::span<const engine::Tokens> prompts,
                                            const SimilarityOptions& options) {
  std::vector<engine::TokenPlace> places;
  for (std::size_t p = 0; p < prompts.size(); ++p)
    for (std::int64_t t = 0; t < std::ssize(prompts[p]); ++t) places.push_back({p, t});
  if (std::min(std::ssize(places), options.tokens) < 2)
    throw ConfigError("the similarity of experts needs at least two tokens");
  RandomStream(options.seed, "similarity/tokens").shuffle(std::span(places));
  if (std::ssize(places) > options.tokens) places.resize(static_cast<std::size_t>(options.tokens));
  return places;
}

}  // namespace

LayerSimilarity compare_outputs(std::int64_t experts, const std::function<at::Tensor(std::int64_t e)>& output,
                                std::span<const std::int64_t> order) {
  const std::int64_t tokens = std::ssize(order);
  at::Tensor grams;
  for (std::int64_t e = 0; e < experts; ++e) {
    const at::Tensor gram = engine::unit_gram(output(e));
    if (!std::isfinite(gram.sum().item<double>())) throw Error("the outputs of expert {} are not finite", e);
    if (!grams.defined()) grams = at::empty({experts, tokens * tokens}, gram.options());
    grams[e].copy_(gram);
  }
  LayerSimilarity found;
  found.similarity = grams.matmul(grams.t()).cpu();
  found.permuted = at::empty({experts, experts});
  const at::Tensor permutation =
      at::tensor(at::IntArrayRef(order.data(), order.size()), at::kLong).to(grams.device());
  for (std::int64_t e = 0; e < experts; ++e) {
    const at::Tensor square = grams[e].view({tokens, tokens});
    const at::Tensor moved = square.index_select(0, permutation).index_select(1, permutation).flatten();
    found.permuted.select(1, e).copy_(grams.mv(moved));
  }
  return found;
}

SimilarityFindings expert_similarity(const engine::Engine& engine, std::span<const engine::Tokens> prompts,
                                     const SimilarityOptions& options,
                                     const std::function<void(std::int64_t layer)>& progress) {
  const at::NoGradGuard no_grad;
  const std::vector<engine::TokenPlace> places = draw_places(prompts, options);
  std::vector<std::int64_t> order(places.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  RandomStream(options.seed, "similarity/order").shuffle(std::span(order));
  SimilarityFindings findings;
  findings.tokens = std::ssize(places);
  for (const engine::MoeInput& input : engine.moe_inputs(prompts, places)) {
    if (progress) progress(input.layer);
    const auto output = [&](std::int64_t e) { return engine.model().expert(input.layer, e, input.rows); };
    LayerSimilarity found = compare_outputs(engine.spec().router.experts, output, order);
    found.layer = input.layer;
    findings.layers.push_back(std::move(found));
  }
  return findings;
}

}  // namespace moelab::discovery
