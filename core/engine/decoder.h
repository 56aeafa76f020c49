// Rows that are read token by token: a model, its KV cache and the plans that the rows run under.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/model/kv_cache.h"

namespace moelab::engine {

struct DecodeRow {
  model::KvRow kv;
  std::int64_t plan = 0;  // 0: the original; i + 1: plan i of the decoder
};

// Where hidden states stop being finite.
struct NonFinite {
  std::int64_t layer = 0;     // -1: the embedding; the number of layers: the final norm or the output layer
  std::int64_t position = 0;  // of the token in its row
};

// Tokens that one row reads in a pass, after those it has read before.
struct Feed {
  DecodeRow* row = nullptr;
  std::span<const std::int32_t> tokens;  // at least one
  std::int64_t length = 0;  // tokens that the row will have, where more pieces are known to follow
};

class Decoder {
 public:
  // The engine must outlive the decoder. Throws ConfigError on a plan that does not fit the model, or sizes
  // that are not positive.
  Decoder(const Engine& engine, std::span<const steering::Plan> plans, const model::KvCacheOptions& options);

  model::KvCache& cache() { return cache_; }

  // One pass over rows of any lengths and plans; room must have been reserved in the cache. Logits after each
  // row's last token, [rows, vocab] float32 on the CPU. Throws Error on a token outside the vocabulary, a row
  // that would pass the model's context or must be read anew, or missing room; then no row has read anything,
  // nor has it when memory runs out.
  at::Tensor feed(std::span<const Feed> feeds);

  // Whether the row, were it to have `length` tokens, would be rotated otherwise than what it has read was:
  // then its pages must be released and all of it read again.
  bool must_read_anew(const DecodeRow& row, std::int64_t length) const;

  // What each plan's steering did so far; entry 0 (the original) is empty. Throws Error when a plan was not
  // applied to every token that was read under it.
  std::vector<steering::Effect> effects() const;

  std::int64_t forward_tokens() const { return forward_tokens_; }

  // Reads `tokens` from the first one again, layer by layer and without the cache: the first layer after
  // which a hidden state is NaN or infinite, and the first token where it is. None when all are finite.
  std::optional<NonFinite> first_non_finite(std::span<const std::int32_t> tokens, std::int64_t plan) const;

 private:
  const Engine& engine_;
  steering::CompiledPlans compiled_;
  model::KvCache cache_;
  at::Tensor effects_;                     // [layers, plans, kEffectColumns]
  std::vector<std::int64_t> plan_tokens_;  // [plans] tokens read under each
  std::int64_t forward_tokens_ = 0;
};

}  // namespace moelab::engine
