// Deliberately wrong variants of the decoder: each must miss the reference, and by as much as the same
// mistake made in a second implementation does. It shows that the parity test can see a bug.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "tests/model/variants.h"
#include "tests/model/variants_deepseek.h"
#include "tests/model/variants_gpt_oss.h"
#include "tests/model/variants_qwen3_next.h"
#include "tests/model/variants_routed.h"
#include "tests/support/catch.h"
#include "tests/support/measured.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

at::Tensor log_softmax_score(const at::Tensor& logits) { return logits.to(at::kFloat).log_softmax(-1); }

void for_each_mlp(model::ModelWeights& weights, const std::function<void(model::MlpWeights&)>& change) {
  for (model::LayerWeights& layer : weights.layers) {
    if (auto* dense = std::get_if<model::MlpWeights>(&layer.mlp)) change(*dense);
    if (auto* moe = std::get_if<model::MoeWeights>(&layer.mlp)) {
      for (model::MlpWeights& expert : moe->experts) change(expert);
      if (moe->shared) change(*moe->shared);
    }
  }
}

void for_each_norm(model::ModelWeights& weights, const std::function<at::Tensor(const at::Tensor&)>& change) {
  for (model::LayerWeights& layer : weights.layers)
    for (at::Tensor* norm : {&layer.input_norm, &layer.post_attention_norm, &layer.attention.query_norm,
                             &layer.attention.key_norm})
      if (norm->defined()) *norm = change(*norm);
  weights.final_norm = change(weights.final_norm);
}

// Puts the experts of each layer into another order.
void reorder_experts(model::ModelWeights& weights, const std::function<std::size_t(std::size_t)>& source) {
  for (model::LayerWeights& layer : weights.layers)
    if (auto* moe = std::get_if<model::MoeWeights>(&layer.mlp)) {
      const auto original = moe->experts;
      for (std::size_t e = 0; e < original.size(); ++e) moe->experts[e] = original[source(e)];
    }
}

std::size_t sorted_as_text(std::size_t expert, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t e = 0; e < count; ++e) names.push_back(std::to_string(e));
  std::sort(names.begin(), names.end());
  return std::stoul(names[expert]);
}

Changes spec_changes() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"rope_theta_1_percent", [](Spec& s, Weights&) { s.attention.rope_theta *= 1.01; }},
      {"rope_theta_default", [](Spec& s, Weights&) { s.attention.rope_theta = 10000; }},
      {"eps_times_10", [](Spec& s, Weights&) { s.norm_eps *= 10; }},
      {"eps_default", [](Spec& s, Weights&) { s.norm_eps = 1e-6; }},
      {"qk_norm_omitted", [](Spec& s, Weights&) { s.attention.qk_norm = model::QkNorm::none; }},
      {"clip_qkv_omitted", [](Spec& s, Weights&) { s.attention.clip_qkv.reset(); }},
      {"norm_topk_flipped", [](Spec& s, Weights&) { s.router.renormalise = !s.router.renormalise; }},
      {"top_k_one_less", [](Spec& s, Weights&) { --s.router.top_k; }},
      {"top_k_one_more", [](Spec& s, Weights&) { ++s.router.top_k; }},
      {"router_sigmoid", [](Spec& s, Weights&) { s.router.score = &model::sigmoid_score; }},
  };
}

Changes weight_changes() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"norm_weight_plus_1",
       [](Spec&, Weights& w) { for_each_norm(w, [](const at::Tensor& n) { return n + 1; }); }},
      {"norm_weight_omitted",
       [](Spec&, Weights& w) { for_each_norm(w, [](const at::Tensor& n) { return at::ones_like(n); }); }},
      {"qk_norm_weight_omitted",
       [](Spec&, Weights& w) {
         for (auto& layer : w.layers)
           for (at::Tensor* norm : {&layer.attention.query_norm, &layer.attention.key_norm})
             *norm = at::ones_like(*norm);
       }},
      {"layer_norms_swapped",
       [](Spec&, Weights& w) {
         for (auto& layer : w.layers) {
           std::swap(layer.input_norm, layer.post_attention_norm);
           std::swap(layer.input_norm_bias, layer.post_attention_norm_bias);
         }
       }},
      {"gate_up_swapped",
       [](Spec&, Weights& w) { for_each_mlp(w, [](model::MlpWeights& m) { std::swap(m.gate, m.up); }); }},
      {"dense_layer_skipped",
       [](Spec&, Weights& w) {
         for (auto& layer : w.layers)
           if (auto* dense = std::get_if<model::MlpWeights>(&layer.mlp))
             dense->down = at::zeros_like(dense->down);
       }},
      {"experts_shifted_by_1",
       [](Spec& s, Weights& w) {
         const auto count = static_cast<std::size_t>(s.router.experts);
         reorder_experts(w, [count](std::size_t e) { return (e + 1) % count; });
       }},
      {"experts_sorted_as_text",
       [](Spec& s, Weights& w) {
         const auto count = static_cast<std::size_t>(s.router.experts);
         reorder_experts(w, [count](std::size_t e) { return sorted_as_text(e, count); });
       }},
      {"lm_head_tied", [](Spec&, Weights& w) { w.head = w.embedding; }},
  };
}

void for_each_attention_bias(model::ModelWeights& weights, bool output_alone) {
  for (model::LayerWeights& layer : weights.layers) {
    layer.attention.output.bias.reset();
    layer.latent.output.bias.reset();
    if (output_alone) continue;
    for (model::Projection* projection :
         {&layer.attention.query, &layer.attention.key, &layer.attention.value, &layer.latent.query_down,
          &layer.latent.down})
      projection->bias.reset();
  }
}

// Mistakes with what Granite and Phi have beyond Llama's shape.
Changes family_changes() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  const auto rope = [](Spec& s) -> model::RopeScaling& { return s.attention.rope_scaling.value(); };
  return {
      {"embedding_multiplier_omitted", [](Spec& s, Weights&) { s.embedding_multiplier = 1; }},
      {"residual_multiplier_omitted", [](Spec& s, Weights&) { s.residual_multiplier = 1; }},
      {"logits_multiplied", [](Spec& s, Weights&) { s.logits_divisor = 1 / s.logits_divisor; }},
      {"attention_scale_from_head_dim", [](Spec& s, Weights&) { s.attention.scale.reset(); }},
      {"attention_scale_omitted", [](Spec& s, Weights&) { s.attention.scale = 1; }},
      {"attention_scale_hidden_over_heads",
       [](Spec& s, Weights&) {
         s.attention.scale = 1 / std::sqrt(static_cast<double>(s.hidden / s.attention.heads));
       }},
      {"norm_bias_omitted",
       [](Spec&, Weights& w) {
         for (auto& layer : w.layers)
           for (at::Tensor* bias : {&layer.input_norm_bias, &layer.post_attention_norm_bias}) bias->reset();
         w.final_norm_bias.reset();
       }},
      {"attention_bias_omitted", [](Spec&, Weights& w) { for_each_attention_bias(w, false); }},
      {"output_bias_omitted", [](Spec&, Weights& w) { for_each_attention_bias(w, true); }},
      {"head_bias_omitted", [](Spec&, Weights& w) { w.head_bias.reset(); }},
      {"router_softmax",
       [](Spec& s, Weights&) {
         s.router.score = &model::softmax_score;
         s.router.sparsemixer_eps.reset();
         s.router.renormalise = true;
       }},
      {"router_log_softmax_first", [](Spec& s, Weights&) { s.router.score = &log_softmax_score; }},
      {"sparsemixer_eps_default", [](Spec& s, Weights&) { s.router.sparsemixer_eps = 0.01; }},
      {"window_omitted", [](Spec& s, Weights&) { s.attention.window.reset(); }},
      {"window_one_more", [](Spec& s, Weights&) { ++*s.attention.window; }},
      {"rope_factors_omitted",
       [rope](Spec& s, Weights&) { rope(s).short_factor.assign(rope(s).short_factor.size(), 1.0); }},
      {"rope_long_always",
       [rope](Spec& s, Weights&) {
         rope(s).short_factor = rope(s).long_factor;
         rope(s).short_scale = rope(s).long_scale;
       }},
      {"rope_scale_omitted", [rope](Spec& s, Weights&) { rope(s).short_scale = 1; }},
      // max_position_embeddings 64 over 40 original positions.
      {"rope_scale_from_factor",
       [rope](Spec& s, Weights&) {
         rope(s).short_scale = std::sqrt(1 + std::log(64.0 / 40) / std::log(40.0));
       }},
  };
}

// Those that can be made in moelab on one checkpoint.
Changes changes_for(const std::string& name) {
  Changes changes = spec_changes();
  changes.merge(weight_changes());
  changes.merge(family_changes());
  add_routed_variants(changes);
  if (name.starts_with("gpt_oss")) add_gpt_oss_variants(changes);
  if (name.starts_with("deepseek")) add_deepseek_variants(changes);
  if (name.starts_with("qwen3_next")) add_qwen3_next_variants(changes);
  return changes;
}

double relative_error(const ModelReference& reference, const Change& change) {
  const model::Model right = model::Model::load(reference.checkpoint);
  model::ModelSpec spec = right.spec();
  model::ModelWeights weights = right.weights();
  change(spec, weights);
  const engine::Engine wrong(model::Model(spec, weights), {});
  const auto logits = wrong.logits(reference.prompts);
  double largest = 0;
  for (std::size_t p = 0; p < logits.size(); ++p)
    largest = std::max(largest,
                       largest_difference(logits[p], reference.tensor(fmt::format("prompt.{}.logits", p))));
  return largest / reference.fields.at("logits_sd").get<double>();
}

}  // namespace

TEST_CASE("every wrong variant that can be made here has the name that some reference gives it", "[model]") {
  std::set<std::string> made, known;
  for (const std::string& name : checkpoints_with_reference()) {
    for (const auto& [variant, change] : changes_for(name)) made.insert(variant);
    const ModelReference reference(name);
    for (const Json& variant : reference.fields.at("wrong_variants"))
      known.insert(variant.at("name").get<std::string>());
  }
  for (const std::string& variant : made) {
    CAPTURE(variant);
    CHECK(known.contains(variant));
  }
}

TEST_CASE("deliberately wrong variants miss the reference as far as the same mistakes made elsewhere",
          "[model][parity]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const ModelReference reference(name);
  const Changes changes = changes_for(name);
  const double tolerance = reference.fields.at("tolerance").get<double>();
  int tried = 0;
  double smallest = std::numeric_limits<double>::infinity();
  std::string table =
      name + ": error in standard deviations of the logits, ours | the second implementation's\n";
  for (const Json& variant : reference.fields.at("wrong_variants")) {
    const auto found = changes.find(variant.at("name").get<std::string>());
    if (found == changes.end()) continue;
    CAPTURE(name, found->first);
    const double expected = variant.at("relative_error").get<double>();
    const double error = relative_error(reference, found->second);
    table += fmt::format("  {:28} {:8.4f} | {:8.4f}\n", found->first, error, expected);
    CHECK(error >= 100 * tolerance);
    CHECK(error == Catch::Approx(expected).epsilon(0.02));
    smallest = std::min(smallest, error);
    ++tried;
  }
  record_figures(name, {{"wrong_variants", tried}, {"smallest_miss", smallest}});
  INFO(table);
  CHECK(tried >= 16);
}
