// Mistakes that can be made with Qwen3-Next's parts, expressed in a spec and weights.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>

#include "tests/model/variants.h"

namespace moelab::testing {

inline void for_each_delta_net(model::ModelWeights& weights,
                               const std::function<void(model::DeltaNetWeights&)>& change) {
  for (model::LayerWeights& layer : weights.layers)
    if (layer.delta_net) change(*layer.delta_net);
}

// Query rows and gate rows of q_proj, [heads, head_dim, hidden] each.
struct QueryRows {
  at::Tensor query, gate;
};

inline void change_query_rows(const model::ModelSpec& spec, model::ModelWeights& weights,
                              const std::function<at::Tensor(const QueryRows&)>& change) {
  for (model::LayerWeights& layer : weights.layers) {
    at::Tensor& all = layer.attention.query.weight;
    if (!all.defined()) continue;
    const auto parts = all.view({spec.attention.heads, 2, spec.attention.head_dim, -1}).unbind(1);
    all = change({parts[0], parts[1]}).reshape({-1, all.size(1)}).contiguous();
  }
}

// The rows of a projection that holds `widths` rows for each key head, put where a reader of that order takes
// them for those of one that holds all first parts, then all second ones, ..
inline at::Tensor taken_as_flat(const at::Tensor& rows, std::int64_t groups,
                                const std::vector<std::int64_t>& widths) {
  std::vector<at::Tensor> grouped;
  std::int64_t start = 0;
  for (const std::int64_t width : widths) {
    grouped.push_back(rows.narrow(0, start, groups * width).view({groups, width, -1}));
    start += groups * width;
  }
  return at::cat(grouped, 1).reshape(rows.sizes()).contiguous();
}

// Exchanges two neighbouring parts of every group.
inline at::Tensor with_parts_swapped(const at::Tensor& rows, std::int64_t groups,
                                     std::vector<std::int64_t> widths, std::size_t first) {
  auto parts = rows.view({groups, -1, rows.size(1)}).split_with_sizes(widths, 1);
  std::swap(parts[first], parts[first + 1]);
  return at::cat(parts, 1).reshape(rows.sizes()).contiguous();
}

inline Changes qwen3_next_attention_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  return {
      {"rotary_whole_head", [](Spec& s, Weights&) { s.attention.rotary_dim = 0; }},
      {"rotary_factor_default", [](Spec& s, Weights&) { s.attention.rotary_dim = s.attention.head_dim / 4; }},
      {"output_gate_omitted",
       [](Spec& s, Weights& w) {
         change_query_rows(s, w, [](const QueryRows& rows) { return rows.query; });
         s.attention.has_output_gate = false;
       }},
      {"output_gate_first",
       [](Spec& s, Weights& w) {
         change_query_rows(s, w, [](const QueryRows& r) { return at::cat({r.gate, r.query}, 1); });
       }},
      {"output_gate_behind_all_heads",
       [](Spec& s, Weights& w) {
         for (auto& layer : w.layers)
           if (at::Tensor& all = layer.attention.query.weight; all.defined())
             all = taken_as_flat(all, s.attention.heads, {s.attention.head_dim, s.attention.head_dim});
       }},
      {"norm_weight_not_plus_1",
       [](Spec&, Weights& w) {
         for (auto& layer : w.layers)
           for (at::Tensor* norm : {&layer.input_norm, &layer.post_attention_norm,
                                    &layer.attention.query_norm, &layer.attention.key_norm})
             if (norm->defined()) *norm = *norm - 1;
         w.final_norm = w.final_norm - 1;
       }},
      {"shared_expert_omitted",
       [](Spec&, Weights& w) { for_each_moe(w, [](auto& moe) { moe.shared.reset(); }); }},
  };
}

inline Changes delta_projection_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  using Net = model::DeltaNetWeights;
  const auto qkvz_widths = [](const Spec& s) {
    const std::int64_t values = s.delta_net->value_width() / s.delta_net->key_heads;
    return std::vector<std::int64_t>{s.delta_net->key_dim, s.delta_net->key_dim, values, values};
  };
  const auto ba_widths = [](const Spec& s) {
    return std::vector<std::int64_t>(2, s.delta_net->value_heads / s.delta_net->key_heads);
  };
  return {
      {"qkvz_not_grouped",
       [=](Spec& s, Weights& w) {
         for_each_delta_net(
             w, [&](Net& n) { n.qkvz = taken_as_flat(n.qkvz, s.delta_net->key_heads, qkvz_widths(s)); });
       }},
      {"ba_not_grouped",
       [=](Spec& s, Weights& w) {
         for_each_delta_net(
             w, [&](Net& n) { n.ba = taken_as_flat(n.ba, s.delta_net->key_heads, ba_widths(s)); });
       }},
      {"ba_swapped",
       [=](Spec& s, Weights& w) {
         for_each_delta_net(
             w, [&](Net& n) { n.ba = with_parts_swapped(n.ba, s.delta_net->key_heads, ba_widths(s), 0); });
       }},
      {"vz_swapped",
       [=](Spec& s, Weights& w) {
         for_each_delta_net(w, [&](Net& n) {
           n.qkvz = with_parts_swapped(n.qkvz, s.delta_net->key_heads, qkvz_widths(s), 2);
         });
       }},
  };
}

// A convolution that passes on what it is given, for the channels from `first` on.
inline at::Tensor without_convolution(const at::Tensor& taps, std::int64_t first) {
  at::Tensor changed = taps.clone();
  const at::Tensor part = changed.narrow(0, first, taps.size(0) - first);
  part.zero_();
  part.select(1, taps.size(1) - 1).fill_(1);
  return changed;
}

inline Changes delta_rule_variants() {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  const auto on_nets = [](const std::function<void(model::DeltaNetWeights&)>& change) {
    return [change](Spec&, Weights& w) { for_each_delta_net(w, change); };
  };
  using Net = model::DeltaNetWeights;
  return {
      {"conv_omitted", on_nets([](Net& n) { n.conv = without_convolution(n.conv, 0); })},
      {"conv_reversed", on_nets([](Net& n) { n.conv = n.conv.flip(-1); })},
      {"conv_on_keys_and_queries_only",
       [](Spec& s, Weights& w) {
         for_each_delta_net(
             w, [&](Net& n) { n.conv = without_convolution(n.conv, 2 * s.delta_net->key_width()); });
       }},
      {"dt_bias_omitted", on_nets([](Net& n) { n.step_bias = at::zeros_like(n.step_bias); })},
      {"a_log_not_exponentiated", on_nets([](Net& n) { n.log_rate = n.log_rate.abs().log(); })},
      {"decay_omitted", on_nets([](Net& n) { n.log_rate = at::zeros_like(n.log_rate) - 200; })},
      {"gated_norm_plus_1", on_nets([](Net& n) { n.norm = n.norm + 1; })},
  };
}

inline void add_qwen3_next_variants(Changes& changes) {
  changes.merge(qwen3_next_attention_variants());
  changes.merge(delta_projection_variants());
  changes.merge(delta_rule_variants());
}

}  // namespace moelab::testing
