// Mistakes that can be made with gpt-oss: sinks, windows, YaRN, the clamped SwiGLU and packed experts.
#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "tests/model/variants.h"

namespace moelab::testing {

inline void for_each_sink(model::ModelWeights& weights,
                          const std::function<at::Tensor(const at::Tensor&)>& change) {
  for (model::LayerWeights& layer : weights.layers) layer.attention.sinks = change(layer.attention.sinks);
}

// Nothing happens to experts of another kind.
inline void for_each_clamped(model::ModelWeights& weights,
                             const std::function<void(model::ClampedMlpWeights&)>& change) {
  for_each_moe(weights, [&](model::MoeWeights& moe) {
    for (model::ClampedMlpWeights& expert : moe.clamped_experts) change(expert);
  });
}

inline void for_each_packed(model::ModelWeights& weights,
                            const std::function<void(model::Mxfp4Matrix&)>& change) {
  for_each_clamped(weights, [&](model::ClampedMlpWeights& expert) {
    for (model::ExpertMatrix* matrix : {&expert.gate_up, &expert.down})
      change(std::get<model::Mxfp4Matrix>(*matrix));
  });
}

// Row i of the gate and up matrices becomes row `order[i]`.
inline void reorder_gate_up(model::ClampedMlpWeights& expert, const at::Tensor& order) {
  auto& matrix = std::get<model::Mxfp4Matrix>(expert.gate_up);
  for (at::Tensor* rows : {&matrix.blocks, &matrix.scales, &expert.gate_up_bias})
    *rows = rows->index_select(0, order);
}

inline void add_sink_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  changes["sinks_omitted"] = [](Spec&, Weights& w) {
    for_each_sink(w, [](const at::Tensor&) { return at::Tensor(); });
  };
  changes["sinks_zero"] = [](Spec&, Weights& w) {
    for_each_sink(w, [](const at::Tensor& sinks) { return at::zeros_like(sinks); });
  };
  changes["sinks_scaled"] = [](Spec& s, Weights& w) {
    const double scale = 1 / std::sqrt(static_cast<double>(s.attention.head_dim));
    for_each_sink(w, [scale](const at::Tensor& sinks) { return sinks * scale; });
  };
  changes["sinks_of_next_head"] = [](Spec&, Weights& w) {
    for_each_sink(w, [](const at::Tensor& sinks) { return sinks.roll(-1, 0); });
  };
  changes["windows_swapped"] = [](Spec& s, Weights&) { s.attention.windowed.flip(); };
  changes["window_everywhere"] = [](Spec& s, Weights&) { s.attention.windowed.clear(); };
}

inline void add_gpt_oss_yarn_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  // The fixture's own fields but for one.
  const auto scaling = [](const Json& other) {
    Json fields = {{"rope_type", "yarn"}, {"factor", 4.0},     {"original_max_position_embeddings", 32},
                   {"beta_fast", 2.0},    {"beta_slow", 0.25}, {"truncate", false}};
    fields.update(other);
    return model::read_rope({{"rope_theta", 3000}, {"rope_scaling", fields}}, 24, "here", {"yarn"}).scaling;
  };
  changes["yarn_truncated"] = [scaling](Spec& s, Weights&) {
    s.attention.rope_scaling = scaling({{"truncate", true}});
  };
  changes["yarn_betas_default"] = [scaling](Spec& s, Weights&) {
    s.attention.rope_scaling = scaling({{"beta_fast", 32.0}, {"beta_slow", 1.0}});
  };
  changes["yarn_all_divided"] = [](Spec& s, Weights&) {
    s.attention.rope_scaling->short_factor.assign(s.attention.rope_scaling->short_factor.size(), 4.0);
  };
  changes["rope_scale_squared"] = [](Spec& s, Weights&) {
    s.attention.rope_scaling->short_scale *= s.attention.rope_scaling->short_scale;
  };
}

inline void add_clamped_mlp_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  changes["swiglu_limit_omitted"] = [](Spec& s, Weights&) { s.clamped_swiglu->limit = 1e9; };
  changes["swiglu_limit_default"] = [](Spec& s, Weights&) { s.clamped_swiglu->limit = 7; };
  changes["swiglu_alpha_1"] = [](Spec& s, Weights&) { s.clamped_swiglu->alpha = 1; };
  changes["gate_up_bias_omitted"] = [](Spec&, Weights& w) {
    for_each_clamped(w, [](model::ClampedMlpWeights& expert) { expert.gate_up_bias.reset(); });
  };
  changes["down_bias_omitted"] = [](Spec&, Weights& w) {
    for_each_clamped(w, [](model::ClampedMlpWeights& expert) { expert.down_bias.reset(); });
  };
  changes["router_bias_omitted"] = [](Spec&, Weights& w) {
    for_each_moe(w, [](model::MoeWeights& moe) { moe.router.bias.reset(); });
  };
  changes["gate_up_in_halves"] = [](Spec& s, Weights& w) {
    const at::Tensor halves = at::arange(2 * s.expert_width).view({2, s.expert_width}).t().reshape(-1);
    for_each_clamped(w, [&](model::ClampedMlpWeights& expert) { reorder_gate_up(expert, halves); });
  };
  // These two exist for other families too.
  changes["gate_up_swapped"] = [before = changes.at("gate_up_swapped")](Spec& s, Weights& w) {
    before(s, w);
    const at::Tensor swapped = at::arange(2 * s.expert_width).view({-1, 2}).flip(1).reshape(-1);
    for_each_clamped(w, [&](model::ClampedMlpWeights& expert) { reorder_gate_up(expert, swapped); });
  };
  changes["experts_shifted_by_1"] = [before = changes.at("experts_shifted_by_1")](Spec& s, Weights& w) {
    before(s, w);
    for_each_moe(w, [](model::MoeWeights& moe) {
      if (auto& experts = moe.clamped_experts; !experts.empty())
        std::rotate(experts.begin(), experts.begin() + 1, experts.end());
    });
  };
}

inline void add_mxfp4_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  changes["mxfp4_nibbles_swapped"] = [](Spec&, Weights& w) {
    for_each_packed(w, [](model::Mxfp4Matrix& m) { m.tables.pairs = m.tables.pairs.flip(1); });
  };
  changes["mxfp4_sign_omitted"] = [](Spec&, Weights& w) {
    for_each_packed(w, [](model::Mxfp4Matrix& m) { m.tables.pairs = m.tables.pairs.abs(); });
  };
  changes["mxfp4_scale_bias_128"] = [](Spec&, Weights& w) {
    for_each_packed(w, [](model::Mxfp4Matrix& m) { m.tables.powers = m.tables.powers / 2; });
  };
  changes["mxfp4_scale_of_next_group"] = [](Spec&, Weights& w) {
    for_each_packed(w, [](model::Mxfp4Matrix& m) { m.scales = m.scales.roll(1, 1); });
  };
}

// After the variants that all families share: two of them are extended.
inline void add_gpt_oss_variants(Changes& changes) {
  add_sink_variants(changes);
  add_gpt_oss_yarn_variants(changes);
  add_clamped_mlp_variants(changes);
  add_mxfp4_variants(changes);
}

}  // namespace moelab::testing
