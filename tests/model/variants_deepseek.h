// Mistakes with attention over latents, YaRN's two temperatures and groups of experts, as DeepSeek's families
// have them.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <cmath>

#include "tests/model/variants.h"

namespace moelab::testing {

// The first `count` rows behind all others.
inline at::Tensor exchange_rows(const at::Tensor& rows, std::int64_t count) {
  return at::cat({rows.narrow(0, count, rows.size(0) - count), rows.narrow(0, 0, count)});
}

// Every head's block of rows changed by itself.
inline at::Tensor by_head(const at::Tensor& rows, std::int64_t heads,
                          const std::function<at::Tensor(const at::Tensor&)>& change) {
  std::vector<at::Tensor> blocks;
  for (const at::Tensor& block : rows.chunk(heads)) blocks.push_back(change(block));
  return at::cat(blocks);
}

inline void for_each_latent(model::ModelWeights& weights,
                            const std::function<void(model::LatentAttentionWeights&)>& change) {
  for (model::LayerWeights& layer : weights.layers) change(layer.latent);
}

inline double own_scale(const model::ModelSpec& spec) {
  return 1 / std::sqrt(static_cast<double>(spec.attention.head_dim));
}

inline void add_latent_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  using Latent = model::LatentAttentionWeights;
  changes["latent_norm_weight_omitted"] = [](Spec&, Weights& w) {
    for_each_latent(w, [](Latent& l) { l.norm = at::ones_like(l.norm); });
  };
  changes["query_norm_weight_omitted"] = [](Spec&, Weights& w) {
    for_each_latent(w, [](Latent& l) { l.query_norm = at::ones_like(l.query_norm); });
  };
  changes["latent_eps_of_config"] = [](Spec& s, Weights&) { s.attention.latent->norm_eps = s.norm_eps; };
  changes["latent_after_rope_key"] = [](Spec& s, Weights& w) {
    const std::int64_t rotary = s.attention.rotated();
    for_each_latent(w, [&](Latent& l) {
      l.down.weight = exchange_rows(l.down.weight, rotary);
      if (l.down.bias.defined()) l.down.bias = exchange_rows(l.down.bias, rotary);
    });
  };
  changes["rope_before_nope"] = [](Spec& s, Weights& w) {
    for_each_latent(w, [&](Latent& l) {
      l.query.weight = by_head(l.query.weight, s.attention.heads,
                               [&](const at::Tensor& b) { return exchange_rows(b, s.attention.rotated()); });
    });
  };
  changes["values_before_keys"] = [](Spec& s, Weights& w) {
    for_each_latent(w, [&](Latent& l) {
      l.up = by_head(l.up, s.attention.heads,
                     [&](const at::Tensor& b) { return exchange_rows(b, s.attention.latent->value_dim); });
    });
  };
  changes["kv_b_all_keys_first"] = [](Spec& s, Weights& w) {
    const std::int64_t heads = s.attention.heads, plain = s.attention.head_dim - s.attention.rotated();
    for_each_latent(w, [&](Latent& l) {
      const auto keys = l.up.narrow(0, 0, heads * plain).chunk(heads);
      const auto values = l.up.narrow(0, heads * plain, l.up.size(0) - heads * plain).chunk(heads);
      std::vector<at::Tensor> blocks;
      for (std::size_t h = 0; h < keys.size(); ++h) blocks.insert(blocks.end(), {keys[h], values[h]});
      l.up = at::cat(blocks);
    });
  };
  changes["attention_scale_from_nope"] = [](Spec& s, Weights&) {
    const auto plain = static_cast<double>(s.attention.head_dim - s.attention.rotated());
    s.attention.scale = s.attention.scale.value_or(own_scale(s)) / own_scale(s) / std::sqrt(plain);
  };
}

inline void add_deepseek_yarn_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  const auto rope = [](Spec& s) -> model::RopeScaling& { return s.attention.rope_scaling.value(); };
  const auto temperature = [](const Spec& s) { return std::sqrt(*s.attention.scale / own_scale(s)); };
  changes["softmax_factor_omitted"] = [](Spec& s, Weights&) { s.attention.scale = own_scale(s); };
  changes["softmax_factor_once"] = [=](Spec& s, Weights&) {
    s.attention.scale = own_scale(s) * temperature(s);
  };
  changes["yarn_omitted"] = [=](Spec& s, Weights&) {
    rope(s).short_factor.assign(rope(s).short_factor.size(), 1.0);
  };
  changes["yarn_all_divided"] = [=](Spec& s, Weights&) {
    rope(s).short_factor.assign(rope(s).short_factor.size(), rope(s).short_factor.back());
  };
  changes["yarn_scale_omitted"] = [=](Spec& s, Weights&) { rope(s).short_scale = 1; };
  changes["yarn_scale_from_mscale"] = [=](Spec& s, Weights&) { rope(s).short_scale *= temperature(s); };
}

inline void add_group_variants(Changes& changes) {
  using Spec = model::ModelSpec;
  using Weights = model::ModelWeights;
  changes["groups_one_more"] = [](Spec& s, Weights&) { ++s.router.groups_kept; };
  changes["groups_by_two"] = [](Spec& s, Weights&) {
    s.router.group_score = model::GroupScore::two_largest_summed;
  };
}

inline void add_deepseek_variants(Changes& changes) {
  add_latent_variants(changes);
  add_deepseek_yarn_variants(changes);
  add_group_variants(changes);
}

}  // namespace moelab::testing
