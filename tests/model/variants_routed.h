// Mistakes with shared experts, selection biases, groups of experts and partial rotation: what qwen2_moe,
// ernie4_5_moe and glm4_moe have beyond Llama's shape.
#pragma once

#include <cmath>

#include "tests/model/variants.h"

namespace moelab::testing {

// Frequencies theta^(-2i / head_dim) on the rotated dimensions, where theta^(-2i / rotary_dim) is right.
inline void spread_over_head(model::AttentionSpec& attention) {
  model::RopeScaling scaling;
  const double rotated = static_cast<double>(attention.rotated());
  for (std::int64_t i = 0; i < attention.rotated() / 2; ++i)
    scaling.short_factor.push_back(
        std::pow(attention.rope_theta,
                 2.0 * static_cast<double>(i) * (1 / static_cast<double>(attention.head_dim) - 1 / rotated)));
  attention.rope_scaling = scaling;
}

inline Changes rotation_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"rope_interleaved", [](Spec& s, Weights&) { s.attention.pairs = model::RotaryPairs::interleaved; }},
      {"rope_halves", [](Spec& s, Weights&) { s.attention.pairs = model::RotaryPairs::half; }},
      {"rope_on_all_dims", [](Spec& s, Weights&) { s.attention.rotary_dim = 0; }},
      {"rope_exponents_over_head_dim", [](Spec& s, Weights&) { spread_over_head(s.attention); }},
  };
}

inline Changes router_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"selection_bias_omitted",
       [](Spec&, Weights& w) { for_each_moe(w, [](auto& moe) { moe.router.selection_bias.reset(); }); }},
      {"selection_bias_on_logits",
       [](Spec&, Weights& w) {
         for_each_moe(w, [](auto& moe) {
           moe.router.bias = moe.router.selection_bias;
           moe.router.selection_bias.reset();
         });
       }},
      {"groups_omitted", [](Spec& s, Weights&) { s.router.groups = s.router.groups_kept = 1; }},
      {"groups_by_max", [](Spec& s, Weights&) { s.router.group_score = model::GroupScore::largest; }},
      {"norm_min_default", [](Spec& s, Weights&) { s.router.smallest_sum = 1e-12; }},
      {"multiplier_omitted", [](Spec& s, Weights&) { s.router.weight_multiplier = 1; }},
  };
}

inline Changes shared_expert_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"shared_experts_omitted",
       [](Spec&, Weights& w) { for_each_moe(w, [](auto& moe) { moe.shared.reset(); }); }},
      {"shared_gate_omitted",
       [](Spec&, Weights& w) { for_each_moe(w, [](auto& moe) { moe.shared_gate.reset(); }); }},
      {"multiplier_on_shared",
       [](Spec& s, Weights& w) {
         const double factor = s.router.weight_multiplier;
         for_each_moe(w, [factor](auto& moe) { moe.shared->down = moe.shared->down * factor; });
       }},
  };
}

inline void add_routed_variants(Changes& changes) {
  changes.merge(rotation_variants());
  changes.merge(router_variants());
  changes.merge(shared_expert_variants());
}

}  // namespace moelab::testing
