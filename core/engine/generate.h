// Generation: prompts to sampled continuations, many rows and plans in one batch.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/sampler.h"
#include "core/text/tokenizer.h"

namespace moelab::engine {

struct GenerateRequest {
  std::string question;                   // names it in errors, and its random streams
  Tokens prompt;                          // at least one token
  std::int64_t plan = 0;                  // 0: the original; i + 1: plan i of the call
  SamplingOptions sampling;               // how each token is chosen
  std::int64_t max_new_tokens = 256;      // at least one
  bool stop_at_eos = true;                // at the tokens that config.json names
  std::vector<std::int32_t> stop_ids;     // further tokens that end it
  std::vector<std::string> stop_strings;  // texts that end it, wherever tokens cut them; need a tokenizer
  std::int64_t repeats = 1;               // samples of this request
  std::uint64_t seed = 0;                 // of the random streams (seed, question, repeat, position)
};

// Why a sample ended. Persistent in the database by name.
enum class StopReason {
  eos,          // a token that the model's config.json names
  stop_id,      // a token of stop_ids
  stop_string,  // the text holds one of stop_strings
  length,       // max_new_tokens
  context,      // prompt and tokens fill the positions that the model has
};

std::string_view name_of(StopReason reason);

struct Generation {
  std::size_t request = 0;  // index of the input
  std::int64_t repeat = 0;
  Tokens tokens;  // generated ones, the one that ended it included
  StopReason reason = StopReason::length;
};

struct GenerateOptions {
  std::int64_t rows = 8;              // samples that run side by side
  std::int64_t prefill_tokens = 512;  // most prompt tokens in one pass; longer prompts are read in pieces
  model::KvCacheOptions cache;        // when its pages run out, the youngest rows wait and are read again
  const text::Tokenizer* tokenizer = nullptr;               // for stop strings
  std::function<void(const Generation&)> on_finished = {};  // as each sample ends; may throw to stop
  std::function<void(const GenerateRequest&, std::int64_t repeat, std::int32_t token)> on_token = {};
};

struct GenerateReport {
  std::vector<Generation> samples;        // by request, then by repeat
  std::vector<steering::Effect> effects;  // [plans + 1]; entry 0 (the original) is empty
  std::int64_t forward_tokens = 0;        // token rows that passed the model
  std::int64_t preemptions = 0;           // rows that gave their pages up and were read again
};

// Generates every repeat of every request. A finished row's place goes to the next sample at once; a sample
// depends on its request and key alone, not on what runs beside it. Throws ConfigError on contradictory
// sampling options; Error naming the question on an empty prompt, one that leaves no room in the context, an
// unknown plan, stop strings without a tokenizer, NaN logits, or a row that the whole cache cannot hold.
// Samples that ended before an error have been handed to on_finished.
GenerateReport generate(const Engine& engine, std::span<const steering::Plan> plans,
                        std::span<const GenerateRequest> requests, const GenerateOptions& options = {});

}  // namespace moelab::engine
