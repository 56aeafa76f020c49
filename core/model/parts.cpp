#include "core/model/parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <optional>

#include "core/model/padding.h"
#include "core/model/sinks.h"

namespace moelab::model {
namespace {

at::Tensor project(const Projection& projection, const at::Tensor& x) {
  return at::linear(x, projection.weight, projection.bias);
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(at::pow(wide, 2).mean(-1, true) + eps);
  if (weight.scalar_type() == at::kFloat) return (wide * scale * weight).to(x.scalar_type());
  return (wide * scale).to(x.scalar_type()) * weight;
}

at::Tensor attention(const AttentionSpec& spec, double norm_eps, const AttentionWeights& weights,
                     const at::Tensor& x, const Rotation& rotation, const Layout& layout,
                     const LayerCache& cache) {
  const std::int64_t rows = x.size(0);
  at::Tensor query = project(weights.query, x), gate;
  at::Tensor key = project(weights.key, x);
  at::Tensor value = project(weights.value, x);
  if (spec.has_output_gate) {  // of each head's rows first its query's
    const auto parts = query.view({rows, spec.heads, 2, spec.head_dim}).unbind(2);
    query = parts[0].flatten(1);
    gate = parts[1].flatten(1);
  }
  if (spec.qk_norm == QkNorm::full_width) {
    query = rms_norm(query, weights.query_norm, norm_eps);
    key = rms_norm(key, weights.key_norm, norm_eps);
  }
  if (spec.clip_qkv)
    for (at::Tensor* projected : {&query, &key, &value})
      *projected = at::clamp(*projected, -*spec.clip_qkv, *spec.clip_qkv);
  query = query.view({rows, spec.heads, spec.head_dim});
  key = key.view({rows, spec.kv_heads, spec.head_dim});
  value = value.view({rows, spec.kv_heads, spec.head_dim});
  if (spec.qk_norm == QkNorm::per_head) {
    query = rms_norm(query, weights.query_norm, norm_eps);
    key = rms_norm(key, weights.key_norm, norm_eps);
  }
  const std::int64_t copies = rows / layout.tokens;
  const std::optional<at::Tensor> mask =
      layout.mask.defined() ? std::optional<at::Tensor>(layout.mask) : std::nullopt;
  key = rotate(key, rotation);
  const KvCache::Read seen = cache.cache != nullptr ? cache.cache->append(cache.layer, layout, key, value)
                                                    : KvCache::Read{pad(key, layout), pad(value, layout)};
  query = pad(rotate(query, rotation), layout);
  const at::Tensor mixed =
      weights.sinks.defined()
          ? attend_with_sinks(query, seen, weights.sinks, layout.mask, spec.scale)
          : at::scaled_dot_product_attention(query, seen.keys, seen.values, mask,
                                             /*dropout_p=*/0.0, /*is_causal=*/!mask.has_value(),
                                             /*scale=*/spec.scale,
                                             /*enable_gqa=*/spec.heads != spec.kv_heads);
  const at::Tensor out = unpad(mixed, copies, layout);
  return project(weights.output, gate.defined() ? out * gate.sigmoid() : out);
}

at::Tensor gated_mlp(const MlpWeights& weights, const at::Tensor& x) {
  return at::linear(at::silu(at::linear(x, weights.gate)) * at::linear(x, weights.up), weights.down);
}

at::Tensor run_experts(std::size_t count, const ExpertFunction& expert, const Routing& routing,
                       const at::Tensor& x) {
  const std::int64_t top_k = routing.ids.size(-1);
  const at::Tensor flat = routing.ids.reshape(-1);
  const at::Tensor order = flat.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor token = order.floor_divide(top_k);
  const at::Tensor hits = at::bincount(flat, {}, static_cast<std::int64_t>(count)).cpu();
  // One split: its backward writes the gradient once, while a slice for each expert would add as many full
  // tensors.
  const std::vector<at::Tensor> rows =
      x.index_select(0, token).split_with_sizes({hits.const_data_ptr<std::int64_t>(), count});
  std::vector<at::Tensor> outputs;
  for (std::size_t e = 0; e < count; ++e)
    if (rows[e].size(0) > 0) outputs.push_back(expert(e, rows[e]));
  const at::Tensor weight =
      routing.weights.reshape(-1).index_select(0, order).unsqueeze(-1).to(x.scalar_type());
  return at::zeros_like(x).index_add(0, token, at::cat(outputs, 0) * weight);
}

}  // namespace moelab::model
