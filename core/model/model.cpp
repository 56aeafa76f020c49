#include "core/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include "core/model/window.h"

namespace moelab::model {
namespace {

at::Tensor run_expert(const ModelSpec& spec, const MoeWeights& moe, std::size_t e, const at::Tensor& x) {
  if (spec.clamped_swiglu) return clamped_mlp(*spec.clamped_swiglu, moe.clamped_experts[e], x);
  return gated_mlp(moe.experts[e], x);
}

}  // namespace

// What the layers of a pass derive from its layout, once for all of them.
struct Model::Tables {
  Rotation rotation;  // of all copies
  const Layout& layout;
  Layout narrowed;                      // with the attention's window
  std::optional<RecurrentOrder> order;  // for delta nets
};

Model::Model(ModelSpec spec, ModelWeights weights) : spec_(std::move(spec)), weights_(std::move(weights)) {}

at::Tensor Model::embed(const at::Tensor& tokens) const { return at::embedding(weights_.embedding, tokens); }

at::Tensor Model::norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
  if (spec_.norm == NormKind::layer) return at::layer_norm(x, {x.size(-1)}, weight, bias, spec_.norm_eps);
  return rms_norm(x, weight, spec_.norm_eps);
}

at::Tensor Model::logits(const at::Tensor& hidden) const {
  const at::Tensor normed = norm(hidden, weights_.final_norm, weights_.final_norm_bias);
  const at::Tensor logits = at::linear(normed, weights_.head, weights_.head_bias);
  return spec_.logits_divisor == 1.0 ? logits : logits / spec_.logits_divisor;
}

at::Tensor Model::run_mlp(const at::Tensor& x, std::int64_t layer, const PassOptions& pass) const {
  const auto index = static_cast<std::size_t>(layer);
  const LayerWeights& weights = weights_.layers[index];
  if (const auto* dense = std::get_if<MlpWeights>(&weights.mlp)) return gated_mlp(*dense, x);
  const MoeWeights& moe = std::get<MoeWeights>(weights.mlp);
  RouterSteering steering;
  const bool steered = pass.steering != nullptr && (*pass.steering)[index].acts.defined();
  if (steered) {
    steering.layer = &(*pass.steering)[index];
    steering.plan_of_token = pass.plan_of_token;
    if (pass.effects.defined()) steering.effects = pass.effects.select(0, layer);
  }
  if (pass.moe_input) pass.moe_input(layer, x);
  Routing routing = route(spec_.router, moe.router, x, steered ? &steering : nullptr);
  const auto expert = [&](std::size_t e, const at::Tensor& rows) { return run_expert(spec_, moe, e, rows); };
  at::Tensor y = run_experts(static_cast<std::size_t>(spec_.router.experts), expert, routing, x);
  if (moe.shared) {
    const at::Tensor shared = gated_mlp(*moe.shared, x);
    y = y + (moe.shared_gate.defined() ? at::linear(x, moe.shared_gate).sigmoid() * shared : shared);
  }
  if (pass.captures != nullptr) pass.captures->push_back({layer, std::move(routing)});
  return y;
}

at::Tensor Model::expert(std::int64_t layer, std::int64_t expert, const at::Tensor& x) const {
  const LayerWeights& weights = weights_.layers.at(static_cast<std::size_t>(layer));
  return run_expert(spec_, std::get<MoeWeights>(weights.mlp), static_cast<std::size_t>(expert), x);
}

at::Tensor Model::mix(const at::Tensor& x, std::int64_t layer, const Tables& tables,
                      const PassOptions& pass) const {
  const auto index = static_cast<std::size_t>(layer);
  const LayerWeights& weights = weights_.layers[index];
  if (weights.delta_net) {
    if (pass.cache != nullptr && pass.recurrent == nullptr)
      throw Error("a pass with a KV cache over layer {} needs the rows' recurrent states too", layer);
    return delta_net(*spec_.delta_net, spec_.norm_eps, *weights.delta_net, x, *tables.order,
                     {pass.recurrent, layer});
  }
  const bool has_window = spec_.attention.windowed.empty() || spec_.attention.windowed[index];
  const Layout& seen = has_window ? tables.narrowed : tables.layout;
  const LayerCache cache{pass.cache, layer};
  if (spec_.attention.latent)
    return latent_attention(spec_.attention, weights.latent, x, tables.rotation, seen, cache);
  return attention(spec_.attention, spec_.norm_eps, weights.attention, x, tables.rotation, seen, cache);
}

at::Tensor Model::run_layers(at::Tensor hidden, const Layout& layout,
                             std::pair<std::int64_t, std::int64_t> range, const PassOptions& pass) const {
  if (pass.forked_rows.defined() && range.second - range.first > 1)
    throw Error("rows are forked in a pass over one layer, this one has {}", range.second - range.first);
  Tables tables{make_rotation(spec_.attention, layout),
                layout,
                spec_.attention.window ? with_window(layout, *spec_.attention.window) : layout,
                {}};
  const std::int64_t copies = hidden.size(0) / layout.tokens;
  Rotation& rotation = tables.rotation;
  if (copies > 1)
    rotation = {rotation.cosine.repeat({copies, 1}), rotation.sine.repeat({copies, 1}), rotation.pairs};
  if (spec_.delta_net) tables.order = make_recurrent_order(layout, spec_.delta_net->kernel);
  if (range.first == 0 && spec_.embedding_multiplier != 1.0) hidden = hidden * spec_.embedding_multiplier;
  const auto add = [&](const at::Tensor& x, const at::Tensor& branch) {
    return x + (spec_.residual_multiplier == 1.0 ? branch : branch * spec_.residual_multiplier);
  };
  for (std::int64_t layer = range.first; layer < range.second; ++layer) {
    const LayerWeights& weights = weights_.layers[static_cast<std::size_t>(layer)];
    const at::Tensor x = norm(hidden, weights.input_norm, weights.input_norm_bias);
    hidden = add(hidden, mix(x, layer, tables, pass));
    if (pass.forked_rows.defined()) hidden = hidden.index_select(0, pass.forked_rows);
    const at::Tensor y = norm(hidden, weights.post_attention_norm, weights.post_attention_norm_bias);
    hidden = add(hidden, run_mlp(y, layer, pass));
  }
  return hidden;
}

}  // namespace moelab::model
