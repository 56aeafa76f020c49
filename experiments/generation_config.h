// How a benchmark's answers are written: length, sampling, repeats, and where thinking ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/sampler.h"

namespace moelab::experiments {

struct GenerationConfig {
  std::int64_t max_new_tokens = 256;  // an answer that is longer is cut off, and counts as truncated
  std::int64_t repeats = 1;           // samples a question
  double temperature = 0;             // 0: greedy
  double top_p = 1;                   // see engine::SamplingOptions, as the next two
  std::int64_t top_k = 0;
  double min_p = 0;
  std::vector<std::string> stop;  // texts that end an answer; they are no part of it
  std::string thinking = "none";  // how thinking is marked: a family of text::thinking_format

  std::int64_t thinking_budget =
      -1;  // then thinking is closed by force, and the answer follows; -1: no limit

  bool is_greedy() const { return temperature == 0; }
  bool operator==(const GenerationConfig&) const = default;
};

// Throws ConfigError naming the key: an unknown family, a thinking budget without thinking, a filter beside
// greedy, repeats of a greedy answer, which would all be equal, an empty stop text.
void validate(const GenerationConfig& config);

engine::SamplingOptions sampling_of(const GenerationConfig& config);

// One line of JSON with all that can change a sample or its counts, for keys: not the number of repeats, so
// that more of them only add; the seed only where it acts.
std::string generation_key(const GenerationConfig& config, std::int64_t seed);

}  // namespace moelab::experiments
