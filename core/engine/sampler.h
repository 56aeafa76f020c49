// The next token from a row of logits: greedy, or drawn from the filtered distribution.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace moelab::engine {

// Order and meaning are those of `generate` in transformers 5.23: repetition penalty (also when greedy), then
// temperature, top-k, top-p, min-p.
struct SamplingOptions {
  bool greedy = true;        // the largest logit; the other fields but the penalty must be neutral then
  double temperature = 1.0;  // logits are divided by it; positive
  std::int64_t top_k = 0;    // keep the k largest logits, and those equal to the last; 0: all
  double top_p = 1.0;        // keep the fewest likeliest tokens that hold this mass; (0, 1]
  double min_p = 0.0;        // keep tokens at least this share of the likeliest one's probability; [0, 1]
  double repetition_penalty =
      1.0;  // of every token in the context: divides positive logits, multiplies others
};

// Throws ConfigError naming the key: a value out of range, or a filter beside greedy, which would do nothing.
void validate(const SamplingOptions& options);

struct TokenProbability {
  std::int32_t token = 0;
  double probability = 0;
};

// A row of vocabulary logits and what precedes it.
struct SamplerRow {
  std::span<const float> logits;          // [vocab]
  std::span<const std::int32_t> context;  // prompt and generated tokens, for the repetition penalty
  std::string_view name;                  // for errors: whose row it is
};

// A row of logits from which nothing can be drawn.
class LogitsError : public Error {
  using Error::Error;
};

// Throws LogitsError naming the row when a logit is NaN or plus infinity, or when all are minus infinity.
void require_distribution(const SamplerRow& row);

// The distribution that a draw is made from, by ascending token id; only tokens that every filter keeps,
// their probabilities sum to one. Greedy: one token, the first of equal ones. Throws what
// require_distribution throws.
std::vector<TokenProbability> filtered_distribution(const SamplerRow& row, const SamplingOptions& options);

// Names one draw: equal keys draw equally, whatever else is drawn and in whatever batch.
struct SampleKey {
  std::uint64_t seed = 0;
  std::string question;
  std::int64_t repeat = 0;
  std::int64_t position = 0;  // of the token among the generated ones
};

// One token of filtered_distribution.
std::int32_t sample(const SamplerRow& row, const SamplingOptions& options, const SampleKey& key);

}  // namespace moelab::engine
