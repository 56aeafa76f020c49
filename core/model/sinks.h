// Attention with sinks (arXiv 2309.17453, as gpt-oss has them): every head has one more logit in its softmax,
// whose share goes nowhere.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "core/model/kv_cache.h"

namespace moelab::model {

// query [sequences, copies * heads, width, dim], seen.keys and .values [sequences, copies * kv_heads, read
// width, dim], sinks [heads] -> [sequences, copies * heads, width, dim]. `mask` as in Layout; undefined:
// plain causal. `scale` of the scores, none: dim^-0.5; the sinks are not scaled.
at::Tensor attend_with_sinks(const at::Tensor& query, const KvCache::Read& seen, const at::Tensor& sinks,
                             const at::Tensor& mask, std::optional<double> scale);

}  // namespace moelab::model
