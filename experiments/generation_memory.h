// What generation may take of the memory, and what stops its thinking: the KV cache planned before the
// weights are read, and a thinking budget in the markers of the model's family.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/engine/generate.h"
#include "core/model/memory.h"
#include "core/text/thinking.h"

namespace moelab::experiments {

// Free bytes of the device, "cpu", "cuda" or "cuda:N"; 0 where that cannot be told.
std::int64_t free_memory(const std::string& device);

// Bytes for the KV cache of a model before whose loading `free_bytes` were free: options.cache_gib, or 0.8 of
// what the weights leave. Throws ConfigError when they leave nothing, or nothing is known of the memory.
std::int64_t cache_bytes(const model::ModelSpec& spec, at::ScalarType dtype,
                         const engine::EngineOptions& options, std::int64_t free_bytes);

// The type that keys and values have: engine.dtype; for auto float32 on the CPU, and what config.json says
// elsewhere.
at::ScalarType planned_dtype(const std::filesystem::path& model_directory,
                             const engine::EngineOptions& options);

// What answers of at most `max_new_tokens` to prompts of at most `longest_prompt` tokens need; with a
// question behind them (`follow_up` tokens, else 0) the second call reads the first one's prompt and reply
// too.
model::CacheNeeds cache_needs(std::int64_t longest_prompt, std::int64_t max_new_tokens,
                              std::int64_t follow_up);

// As many rows side by side, at most 64, as engine.batch_tokens of prompt and answer hold and the cache has
// bytes for. Throws ConfigError when it has none for one row.
model::CachePlan plan_rows(const model::ModelSpec& spec, at::ScalarType dtype,
                           const engine::EngineOptions& options, const model::CacheNeeds& needs,
                           std::int64_t cache_bytes);

// At most `max_tokens` of thinking, then the family's markers that end it (and begin the answer, in harmony)
// are forced. Throws ConfigError when the format has no thinking or the limit is negative.
engine::ThinkingBudget thinking_budget(std::int64_t max_tokens, const text::ThinkingFormat& format,
                                       const text::Tokenizer& tokenizer,
                                       text::ThinkingOptions::Opened opened);

}  // namespace moelab::experiments
