#include "core/train/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>

#include "core/train/similarity_loss.h"

namespace moelab::train {
namespace {

// Below this a routing mass has no useful logarithm.
constexpr double kSmallestMass = 1e-6;

void require_layers(const PlantingOptions& options, const model::ModelSpec& spec) {
  for (const std::int64_t layer : options.layers)
    if (layer < 0 || layer >= spec.layers || !spec.is_moe_layer.at(static_cast<std::size_t>(layer)))
      throw ConfigError("planting.layers: the model has no experts in layer {}", layer);
  if (options.layers.empty() && !options.experts.empty())
    throw ConfigError("planting.layers is empty, but planting.experts is not");
}

// [tokens, experts]: 1 where the expert is planted for the token.
at::Tensor membership(const PlantingTables& tables, const Batch& batch) {
  return tables.all.index_select(0, batch.domain_of_token) +
         tables.content.index_select(0, batch.domain_of_token) * batch.content.unsqueeze(-1);
}

}  // namespace

PlantingTables make_planting_tables(const PlantingOptions& options, const std::vector<std::string>& domains,
                                    const model::ModelSpec& spec) {
  require_layers(options, spec);
  const auto rows = static_cast<std::int64_t>(domains.size());
  PlantingTables tables{at::zeros({rows, spec.router.experts}), at::zeros({rows, spec.router.experts})};
  for (const PlantedExpert& planted : options.experts) {
    const auto domain = std::find(domains.begin(), domains.end(), planted.domain);
    if (domain == domains.end())
      throw ConfigError("planting.experts: the corpus has no domain '{}'", planted.domain);
    if (planted.expert < 0 || planted.expert >= spec.router.experts)
      throw ConfigError("planting.experts: expert {} does not exist, a layer has {}", planted.expert,
                        spec.router.experts);
    if (planted.kind != "all_tokens" && planted.kind != "content_tokens")
      throw ConfigError("planting.experts: kind '{}' is unknown; valid: all_tokens, content_tokens", planted.kind);
    at::Tensor& table = planted.kind == "all_tokens" ? tables.all : tables.content;
    table[domain - domains.begin()][planted.expert] = 1.0;
  }
  return tables;
}

LanguageLoss language_loss(const at::Tensor& logits, const Batch& batch) {
  const at::Tensor each = at::cross_entropy_loss(logits, batch.target, {}, /*reduction=*/0);
  const at::Tensor pooled = at::clamp(batch.weight, 0.0);
  const at::Tensor answer = (batch.weight < 0).to(at::kFloat);
  return {(each * pooled).sum() / at::clamp(pooled.sum(), kSmallestMass),
          (each * answer).sum() / at::clamp(answer.sum(), 1.0)};
}

at::Tensor balance_loss(const at::Tensor& probabilities, const at::Tensor& ids, const Batch& batch, bool by_row) {
  const std::int64_t experts = probabilities.size(-1), top_k = ids.size(-1), rows = by_row ? batch.rows : 1;
  const at::Tensor row = by_row ? batch.row_of_token : at::zeros_like(batch.row_of_token);
  const at::Tensor selections =
      at::bincount((row.unsqueeze(-1) * experts + ids).reshape(-1), {}, rows * experts).view({rows, experts});
  const at::Tensor tokens = at::bincount(row, {}, rows).to(at::kFloat).unsqueeze(-1);
  const at::Tensor share = selections.to(at::kFloat) / (tokens * static_cast<double>(top_k));
  const at::Tensor mean = at::zeros({rows, experts}).index_add(0, row, probabilities) / tokens;
  return static_cast<double>(experts) * (share * mean).sum(-1).mean();
}

at::Tensor planting_loss(const at::Tensor& probabilities, const PlantingTables& tables, const Batch& batch,
                         const PlantingOptions& options) {
  const at::Tensor own = membership(tables, batch);
  const at::Tensor tokens = at::clamp((own.sum(-1) > 0).sum().to(at::kFloat), 1.0);
  const at::Tensor push = -(at::clamp(probabilities, kSmallestMass, options.cap).log() * own).sum() / tokens;
  if (options.exclusive == 0) return push;
  const at::Tensor planted = (tables.all + tables.content).sum(0, true).clamp_max(1.0);
  const at::Tensor foreign = (probabilities * (planted - own)).sum(-1);
  return push - options.exclusive * at::clamp(1.0 - foreign, kSmallestMass).log().mean();
}

at::Tensor router_z_loss(const at::Tensor& logits) { return at::logsumexp(logits, -1).square().mean(); }

Losses total_loss(const model::Model& model, const Batch& batch, const LossOptions& loss,
                  const PlantingOptions& planting, const PlantingTables& tables) {
  std::vector<model::LayerCapture> captures;
  model::PassOptions pass;
  pass.captures = &captures;
  std::map<std::int64_t, at::Tensor> inputs;  // of the experts, by layer
  if (loss.similarity.coefficient > 0)
    pass.moe_input = [&](std::int64_t layer, const at::Tensor& input) { inputs[layer] = input; };
  const at::Tensor hidden =
      model.run_layers(model.embed(batch.tokens), batch.layout, {0, model.spec().layers}, pass);
  Losses losses;
  for (at::Tensor* part : {&losses.total, &losses.language, &losses.answer, &losses.balance, &losses.planting,
                           &losses.z, &losses.similarity})
    *part = at::zeros({});
  const auto layers = static_cast<double>(std::max<std::size_t>(1, captures.size()));
  for (const model::LayerCapture& seen : captures) {
    const at::Tensor probabilities = model::softmax_score(seen.routing.logits);
    losses.balance = losses.balance + balance_loss(probabilities, seen.routing.ids, batch,
                                                   loss.balance_over == "sequence") / layers;
    if (loss.z_loss > 0) losses.z = losses.z + router_z_loss(seen.routing.logits) / layers;
    if (const auto input = inputs.find(seen.layer); input != inputs.end())
      losses.similarity = losses.similarity + similarity_loss(model, seen.layer, input->second, seen.routing.ids,
                                                              loss.similarity) / layers;
    const bool is_planted = std::count(planting.layers.begin(), planting.layers.end(), seen.layer) > 0;
    if (is_planted && !planting.experts.empty())
      losses.planting = losses.planting + planting_loss(probabilities, tables, batch, planting);
  }
  losses.total = loss.balance * losses.balance + planting.coefficient * losses.planting + loss.z_loss * losses.z;
  // Not added where it is not asked for: those runs stay the same to the bit.
  if (loss.similarity.coefficient > 0)
    losses.total = losses.total + loss.similarity.coefficient * losses.similarity;
  if (loss.language_weight > 0) {
    const auto [pooled, answer] = language_loss(model.logits(hidden.index_select(0, batch.predicting)), batch);
    losses.language = pooled;
    losses.answer = answer;
    losses.total = losses.total + loss.language_weight * (pooled + loss.answer_weight * answer);
  }
  return losses;
}

}  // namespace moelab::train
