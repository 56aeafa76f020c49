// Generation: prompts to sampled continuations, many rows and plans in one batch.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/request.h"
#include "core/text/tokenizer.h"

namespace moelab::engine {

struct GenerateOptions {
  std::int64_t rows = 8;              // samples that run side by side; halved whenever memory runs out
  std::int64_t prefill_tokens = 512;  // most prompt tokens in one pass; longer prompts are read in pieces
  bool share_prompts = true;          // repeats of a request read its prompt once
  model::KvCacheOptions cache;        // when its pages run out, the youngest rows wait and are read again
  const text::Tokenizer* tokenizer = nullptr;               // for stop strings
  std::function<void(const Generation&)> on_finished = {};  // as each sample ends; may throw to stop
  std::function<void(const GenerateRequest&, std::int64_t repeat, std::int32_t token)> on_token = {};
  std::function<void(std::int64_t rows)> before_pass = {};  // what it throws counts as thrown by the pass
};

struct GenerateReport {
  std::vector<Generation> samples;        // by request, then by repeat
  std::vector<steering::Effect> effects;  // [plans + 1]; entry 0 (the original) is empty
  std::int64_t forward_tokens = 0;        // token rows that passed the model
  std::int64_t preemptions = 0;           // rows that gave their pages up and were read again
  std::int64_t halvings = 0;              // times that memory ran out, and fewer rows went on
  std::int64_t free_pages = 0;            // of the cache at the end: all of them
};

// Generates every repeat of every request. A finished row's place goes to the next sample at once; a sample
// depends on its request and key alone, not on what runs beside it. Throws ConfigError on contradictory
// options; Error naming the question on a request that cannot be generated (see validate), logits that are
// NaN (then with the layer and token where the hidden state stops being finite), a row that the whole cache
// cannot hold, or too little memory for one row. Samples that ended before an error have been handed to
// on_finished.
GenerateReport generate(const Engine& engine, std::span<const steering::Plan> plans,
                        std::span<const GenerateRequest> requests, const GenerateOptions& options = {});

}  // namespace moelab::engine
