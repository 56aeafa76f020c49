// The decoder's parts between the router and the residual stream: norm, rotation, attention and experts.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "core/model/kv_cache.h"
#include "core/model/layout.h"
#include "core/model/rotation.h"
#include "core/model/router.h"
#include "core/model/spec.h"

namespace moelab::model {

// x * rsqrt(mean(x^2) + eps) in float32, cast to x's dtype, then times the weight (Llama's order); a weight
// in float32 is multiplied before the cast (gpt-oss's order). Over the last dimension.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

struct Projection {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out], or undefined
};

struct AttentionWeights {
  Projection query, key, value, output;
  at::Tensor query_norm, key_norm;  // undefined without qk_norm
  at::Tensor sinks;                 // [heads], undefined without sinks
};

// Causal self-attention over packed rows: x [copies * tokens, hidden] -> the same shape. See Layout. With a
// `cache` the layout is the cache's, and the rows also see what the cache holds of them.
at::Tensor attention(const AttentionSpec& spec, double norm_eps, const AttentionWeights& weights,
                     const at::Tensor& x, const Rotation& rotation, const Layout& layout,
                     const LayerCache& cache = {});

// One gated MLP: down(silu(gate(x)) * up(x)). The tensors may be views into the checkpoint.
struct MlpWeights {
  at::Tensor gate, up;  // [width, hidden]
  at::Tensor down;      // [hidden, width]
};
at::Tensor gated_mlp(const MlpWeights& weights, const at::Tensor& x);

// Sum over each token's selected experts of weight * expert(x), experts visited in ascending order.
// x [tokens, hidden], routing.ids and routing.weights [tokens, top_k]; of `count` experts `expert` maps the
// rows [n, hidden] that chose expert e.
using ExpertFunction = std::function<at::Tensor(std::size_t e, const at::Tensor& rows)>;
at::Tensor run_experts(std::size_t count, const ExpertFunction& expert, const Routing& routing,
                       const at::Tensor& x);

}  // namespace moelab::model
