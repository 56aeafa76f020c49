// Attention over latents (MLA, arXiv 2405.04434, section 2.1): the keys and values of all heads are made from
// one short vector a token. That latent and one rotated key, which the heads share, are all that a cache
// keeps.
//
// A query head has a plain part and, behind it, a rotated part of rotary_dim. Without a cache the latents are
// expanded to keys and values of every head, as the formulas stand. With one, the matrix that would expand
// the keys is applied to the queries, and the one that would expand the values to the result: the same sums
// in another order, and each cached token is read as it lies.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/kv_cache.h"
#include "core/model/layout.h"
#include "core/model/parts.h"
#include "core/model/rotation.h"
#include "core/model/spec.h"

namespace moelab::model {

struct LatentAttentionWeights {
  Projection query_down;  // [query_rank, hidden]; undefined without a query_rank
  at::Tensor query_norm;  // [query_rank], undefined likewise
  Projection query;       // [heads * head_dim, query_rank or hidden]; of each head the plain rows come first
  Projection down;        // [kv_rank + rotary_dim, hidden]: the latent's rows, then those of the shared key
  at::Tensor norm;        // [kv_rank]
  at::Tensor up;      // [heads * (head_dim - rotary_dim + value_dim), kv_rank]: a head's keys, then values
  Projection output;  // [hidden, heads * value_dim]
};

// Causal self-attention over packed rows, as `attention` in parts.h; spec.latent must be set.
at::Tensor latent_attention(const AttentionSpec& spec, const LatentAttentionWeights& weights,
                            const at::Tensor& x, const Rotation& rotation, const Layout& layout,
                            const LayerCache& cache = {});

}  // namespace moelab::model
