// How alike the experts of a layer are: linear CKA between what they make of the same tokens. SimSMoE (Do, Le
// and Tran, arXiv 2406.15883) reads representation collapse off it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/engine.h"

namespace moelab::discovery {

// Experts of one MoE layer: [experts, experts] float32 on the CPU.
struct LayerSimilarity {
  std::int64_t layer = 0;
  at::Tensor similarity;  // CKA of each pair
  // [a][b]: CKA of a's outputs with b's at tokens in another order: the level of chance.
  at::Tensor permuted;
};

// `output` gives expert e's outputs [tokens, width]; `order` is a permutation of the tokens. Holds experts x
// tokens^2 floats. Throws Error naming the expert whose outputs are not finite.
LayerSimilarity compare_outputs(std::int64_t experts, const std::function<at::Tensor(std::int64_t e)>& output,
                                std::span<const std::int64_t> order);

struct SimilarityOptions {
  std::int64_t tokens = 512;  // compared on so many tokens at most, drawn from all of the prompts
  std::uint64_t seed = 1;     // of the draw, and of the order in `permuted`
};

struct SimilarityFindings {
  std::int64_t tokens = 0;  // that were compared on
  std::vector<LayerSimilarity> layers;
};

// All pairs of experts of every MoE layer, each expert applied to the same tokens whether they were routed to
// it or not, before any routing weight. `progress` is called before each layer. Throws ConfigError when the
// prompts have fewer than two tokens.
SimilarityFindings expert_similarity(const engine::Engine& engine, std::span<const engine::Tokens> prompts,
                                     const SimilarityOptions& options,
                                     const std::function<void(std::int64_t layer)>& progress = {});

}  // namespace moelab::discovery
