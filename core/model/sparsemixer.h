// Phi-MoE's routing weights at inference (arXiv 2409.12136; PhimoeForCausalLM in transformers).
#pragma once

#include <ATen/core/Tensor.h>

namespace moelab::model {

// Weights [tokens, k] of the experts `ids` [tokens, k], in their order, from the router logits s [tokens,
// experts] (float32): e^s of the expert over the sum of e^s of those not chosen before it whose logit is at
// most 2 eps below its own, relative to the larger of |s| and its own logit. A weight lies between 0 and 1;
// most are exactly 1, and their sum is near k.
//
// An unsteered expert has the largest logit of those left, and this is the published formula. Where steering
// selects another one, the same expression with that expert in the place of the largest is used.
at::Tensor sparsemixer_weights(const at::Tensor& logits, const at::Tensor& ids, double eps);

}  // namespace moelab::model
