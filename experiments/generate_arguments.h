// What a command line asks `moelab generate` for, checked as far as possible before the weights are read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/generate.h"
#include "experiments/generated_text.h"
#include "experiments/prompt_arguments.h"

namespace moelab::experiments {

struct GenerateTrial {
  engine::Engine engine;
  text::Tokenizer tokenizer;
  ModelPrompt prompt;
  engine::GenerateRequest request;  // under plan 1 when there is a plan
  std::optional<steering::Plan> plan;
  std::int64_t cache_bytes = 0;  // for keys and values
  std::string note;              // what was chosen in the user's stead; "" for nothing

  std::span<const steering::Plan> plans() const;
  // How a sample of it is shown.
  GeneratedTextOptions text_options() const;
  // For `rows` samples side by side, or as many of them as the cache holds.
  engine::GenerateOptions engine_options(std::int64_t rows) const;
};

// The keys of sampling and limits.
std::vector<KeySpec> generate_settings();

// Reads everything and loads the model. Throws ConfigError for whatever stands in the way, a damaged file or
// a hostile template too, because nothing has been run then.
GenerateTrial prepare_trial(const Arguments& arguments);

// "a,b\n" as texts: separated by commas, blanks kept; \n, \t, \, and \\ are escapes. Throws ConfigError
// naming `what` on another escape and on an empty text.
std::vector<std::string> parse_texts(std::string_view list, std::string_view what);

// Drawn as soon as temperature, top_k, top_p or min_p is given, or greedy=false; the likeliest token
// otherwise. Throws ConfigError on a value out of range, and on keys that contradict each other.
engine::SamplingOptions read_sampling(const Arguments& arguments);

}  // namespace moelab::experiments
