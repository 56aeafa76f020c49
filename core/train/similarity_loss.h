// The loss on experts that have become alike, after SimSMoE (Do, Le and Tran, arXiv 2406.15883).
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/model.h"
#include "core/train/options.h"

namespace moelab::train {

// Of one MoE layer that reads `input` [tokens, hidden] and selects `ids` [tokens, top_k]: the selected experts are
// compared on the same tokens, at most options.tokens of the batch at even distances, by linear CKA (see
// core/engine/unit_gram.h); the loss is the mean over the options.pairs most similar pairs of
// max(0, CKA - options.threshold). SimSMoE penalises the CKA itself above its threshold, whose gradient is the same.
// 0 with fewer than two tokens or two selected experts.
at::Tensor similarity_loss(const model::Model& model, std::int64_t layer, const at::Tensor& input,
                           const at::Tensor& ids, const SimilarityLossOptions& options);

}  // namespace moelab::train
