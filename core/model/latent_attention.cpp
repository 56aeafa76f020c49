#include "core/model/latent_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>
#include <optional>

#include "core/model/padding.h"

namespace moelab::model {
namespace {

// The sizes that every step below needs.
struct LatentSizes {
  std::int64_t heads, plain, rotary, rank, value;
  double scale;

  explicit LatentSizes(const AttentionSpec& spec)
      : heads(spec.heads),
        plain(spec.head_dim - spec.rotated()),
        rotary(spec.rotated()),
        rank(spec.latent->kv_rank),
        value(spec.latent->value_dim),
        scale(spec.scale.value_or(1.0 / std::sqrt(static_cast<double>(spec.head_dim)))) {}
};

// Queries of all rows, [rows, heads, plain] and [rows, heads, rotary], the latter rotated.
struct Queries {
  at::Tensor plain, rotated;
};

Queries make_queries(const AttentionSpec& spec, const LatentSizes& sizes,
                     const LatentAttentionWeights& weights, const at::Tensor& x, const Rotation& rotation) {
  at::Tensor source = x;
  if (spec.latent->query_rank > 0) {
    const at::Tensor latent = at::linear(x, weights.query_down.weight, weights.query_down.bias);
    source = rms_norm(latent, weights.query_norm, spec.latent->norm_eps);
  }
  const at::Tensor all = at::linear(source, weights.query.weight, weights.query.bias)
                             .view({x.size(0), sizes.heads, sizes.plain + sizes.rotary});
  return {all.narrow(-1, 0, sizes.plain), rotate(all.narrow(-1, sizes.plain, sizes.rotary), rotation)};
}

// What the heads share of each row, [rows, 1, rank + rotary]: the normed latent and the rotated key.
at::Tensor make_shared_rows(const AttentionSpec& spec, const LatentSizes& sizes,
                            const LatentAttentionWeights& weights, const at::Tensor& x,
                            const Rotation& rotation) {
  const at::Tensor both = at::linear(x, weights.down.weight, weights.down.bias).unsqueeze(1);
  const at::Tensor latent = rms_norm(both.narrow(-1, 0, sizes.rank), weights.norm, spec.latent->norm_eps);
  return at::cat({latent, rotate(both.narrow(-1, sizes.rank, sizes.rotary), rotation)}, -1);
}

// Keys and values of every head from the latents; [rows, heads * value].
at::Tensor attend_expanded(const LatentSizes& sizes, const at::Tensor& up, const Queries& queries,
                           const at::Tensor& shared, const Layout& layout) {
  const std::int64_t rows = shared.size(0), width = sizes.plain + sizes.rotary;
  const at::Tensor expanded = at::linear(shared.narrow(-1, 0, sizes.rank).squeeze(1), up)
                                  .view({rows, sizes.heads, sizes.plain + sizes.value});
  const at::Tensor key = at::cat({expanded.narrow(-1, 0, sizes.plain),
                                  shared.narrow(-1, sizes.rank, sizes.rotary).expand({-1, sizes.heads, -1})},
                                 -1);
  at::Tensor value = expanded.narrow(-1, sizes.plain, sizes.value);
  // Values as wide as keys: the kernels that never hold all scores at once ask for that.
  if (sizes.value < width) value = at::constant_pad_nd(value, {0, width - sizes.value});
  const std::optional<at::Tensor> mask =
      layout.mask.defined() ? std::optional<at::Tensor>(layout.mask) : std::nullopt;
  const at::Tensor mixed = at::scaled_dot_product_attention(
      pad(at::cat({queries.plain, queries.rotated}, -1), layout), pad(key, layout), pad(value, layout), mask,
      /*dropout_p=*/0.0, /*is_causal=*/!mask.has_value(), sizes.scale);
  return unpad(mixed.narrow(-1, 0, sizes.value), rows / layout.tokens, layout);
}

// The same over cached rows, in the space of the latents; [rows, heads * value]. A pass with a cache has one
// copy and a mask.
at::Tensor attend_absorbed(const LatentSizes& sizes, const at::Tensor& up, const Queries& queries,
                           const at::Tensor& cached, const Layout& layout) {
  const std::int64_t rows = queries.plain.size(0), width = sizes.rank + sizes.rotary;
  const at::Tensor by_head = up.view({sizes.heads, sizes.plain + sizes.value, sizes.rank});
  const at::Tensor absorbed =
      at::bmm(queries.plain.transpose(0, 1), by_head.narrow(1, 0, sizes.plain)).transpose(0, 1);
  // The heads share their keys: laid side by side along the queries' axis they are one multiplication.
  const std::int64_t lines = sizes.heads * layout.width;
  const at::Tensor query =
      pad(at::cat({absorbed, queries.rotated}, -1), layout).reshape({layout.sequences, 1, lines, width});
  const at::Tensor mask =
      layout.mask.expand({-1, sizes.heads, -1, -1}).reshape({layout.sequences, 1, lines, layout.read_width});
  // The rows stand for the values as they are; what their rotated keys add is cut off below.
  const at::Tensor mixed =
      at::scaled_dot_product_attention(query, cached, cached, std::optional<at::Tensor>(mask),
                                       /*dropout_p=*/0.0, /*is_causal=*/false, sizes.scale)
          .narrow(-1, 0, sizes.rank)
          .reshape({layout.sequences, sizes.heads, layout.width, sizes.rank});
  const at::Tensor packed = unpad(mixed, 1, layout).view({rows, sizes.heads, sizes.rank});
  return at::bmm(packed.transpose(0, 1), by_head.narrow(1, sizes.plain, sizes.value).transpose(1, 2))
      .transpose(0, 1)
      .reshape({rows, sizes.heads * sizes.value});
}

}  // namespace

at::Tensor latent_attention(const AttentionSpec& spec, const LatentAttentionWeights& weights,
                            const at::Tensor& x, const Rotation& rotation, const Layout& layout,
                            const LayerCache& cache) {
  const LatentSizes sizes(spec);
  const Queries queries = make_queries(spec, sizes, weights, x, rotation);
  const at::Tensor shared = make_shared_rows(spec, sizes, weights, x, rotation);
  at::Tensor mixed;
  if (cache.cache == nullptr)
    mixed = attend_expanded(sizes, weights.up, queries, shared, layout);
  else
    mixed = attend_absorbed(sizes, weights.up, queries, cache.cache->append(cache.layer, layout, shared).keys,
                            layout);
  return at::linear(mixed, weights.output.weight, weights.output.bias);
}

}  // namespace moelab::model
