// What generation is asked for, and what it gives for one sample.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/sampler.h"
#include "core/engine/thinking_budget.h"

namespace moelab::engine {

struct GenerateRequest {
  std::string question;                    // names it in errors, and its random streams
  Tokens prompt;                           // at least one token
  std::int64_t plan = 0;                   // 0: the original; i + 1: plan i of the call
  SamplingOptions sampling;                // how each token is chosen
  std::int64_t max_new_tokens = 256;       // at least one; forced tokens count
  std::optional<ThinkingBudget> thinking;  // none: thinking as long as the model likes
  bool stop_at_eos = true;                 // at the tokens that config.json names
  std::vector<std::int32_t> stop_ids;      // further tokens that end it
  std::vector<std::string> stop_strings;   // texts that end it, wherever tokens cut them; need a tokenizer
  std::int64_t repeats = 1;                // samples of this request
  std::int64_t first_repeat = 0;           // number of the first of them, where others were made before
  std::uint64_t seed = 0;                  // of the random streams (seed, question, repeat, position)
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
  Tokens tokens;  // generated and forced ones, the one that ended it included
  StopReason reason = StopReason::length;
  bool forced_close = false;  // the thinking budget was spent: some of the tokens were forced
};

// Throws ConfigError on contradictory options; Error naming the question on a prompt that is empty, has ids
// outside the vocabulary or leaves no room in the context, on an unknown plan (of `plans`), forced ids
// outside the vocabulary, or stop strings without a tokenizer.
void validate(const GenerateRequest& request, std::int64_t plans, const model::ModelSpec& spec,
              bool has_tokenizer);

}  // namespace moelab::engine
