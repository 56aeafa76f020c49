#include "experiments/generation_config.h"

#include "core/base/json.h"
#include "core/text/thinking.h"

namespace moelab::experiments {

void validate(const GenerationConfig& config) {
  const text::ThinkingFormat format = text::thinking_format(config.thinking);
  if (config.thinking_budget >= 0 && format.style == text::ThinkingStyle::none)
    throw ConfigError(
        "generation.thinking_budget is {}, but generation.thinking is '{}': there is nothing to close",
        config.thinking_budget, config.thinking);
  if (config.is_greedy() && config.repeats > 1)
    throw ConfigError(
        "generation.repeats is {}, but greedy answers are all equal; set generation.temperature, or repeats: "
        "1",
        config.repeats);
  for (const std::string& stop : config.stop)
    if (stop.empty()) throw ConfigError("generation.stop holds an empty text, which would end every answer");
  try {
    engine::validate(sampling_of(config));
  } catch (const ConfigError& problem) {
    throw ConfigError("generation: {}", problem.what());
  }
}

engine::SamplingOptions sampling_of(const GenerationConfig& config) {
  engine::SamplingOptions options;
  options.greedy = config.is_greedy();
  if (!options.greedy) options.temperature = config.temperature;
  options.top_k = config.top_k;
  options.top_p = config.top_p;
  options.min_p = config.min_p;
  return options;
}

std::string generation_key(const GenerationConfig& config, std::int64_t seed) {
  Json key = {
      {"max_new_tokens", config.max_new_tokens}, {"stop", config.stop}, {"thinking", config.thinking}};
  if (config.thinking_budget >= 0) key["thinking_budget"] = config.thinking_budget;
  if (!config.is_greedy())
    key.update({{"temperature", config.temperature},
                {"top_p", config.top_p},
                {"top_k", config.top_k},
                {"min_p", config.min_p},
                {"seed", seed}});
  return canonical_json(key);
}

}  // namespace moelab::experiments
