#include "experiments/generation_memory.h"

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>

#include "core/base/json.h"
#include "experiments/machine.h"

namespace moelab::experiments {
namespace {

constexpr std::int64_t kMostRowsAtOnce = 64;
constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

}  // namespace

std::int64_t free_memory(const std::string& device) {
  if (device == "cpu") return available_memory();
  if (!at::hasCUDA()) return 0;
  const at::Device place(device);
  at::globalContext().lazyInitDevice(place.type());
  const auto free =
      c10::getDeviceAllocator(place.type())->getMemoryInfo(place.has_index() ? place.index() : 0).first;
  return static_cast<std::int64_t>(free);
}

at::ScalarType planned_dtype(const std::filesystem::path& model_directory,
                             const engine::EngineOptions& options) {
  std::string name = options.dtype;
  if (name == "auto") {
    if (options.device == "cpu") return at::kFloat;
    const auto path = model_directory / "config.json";
    const Json config = read_json(path);
    const char* const key = config.contains("dtype") ? "dtype" : "torch_dtype";
    name = json_get_or<std::string>(config, key, "bfloat16", path.string());
  }
  if (name == "float16") return at::kHalf;
  return name == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

std::int64_t cache_bytes(const model::ModelSpec& spec, at::ScalarType dtype,
                         const engine::EngineOptions& options, std::int64_t free_bytes) {
  if (options.cache_gib > 0) return static_cast<std::int64_t>(options.cache_gib * kGib);
  if (free_bytes == 0)
    throw ConfigError(
        "the free memory of '{}' cannot be told: give engine.cache_gib, the memory of the KV cache",
        options.device);
  return model::cache_budget(spec, dtype, free_bytes);
}

model::CacheNeeds cache_needs(std::int64_t longest_prompt, std::int64_t max_new_tokens,
                              std::int64_t follow_up) {
  model::CacheNeeds needs;
  needs.max_new_tokens = max_new_tokens;
  needs.longest_prompt =
      std::max<std::int64_t>(1, longest_prompt) + (follow_up > 0 ? max_new_tokens + follow_up : 0);
  return needs;
}

model::CachePlan plan_rows(const model::ModelSpec& spec, at::ScalarType dtype,
                           const engine::EngineOptions& options, const model::CacheNeeds& needs,
                           std::int64_t cache_bytes) {
  const std::int64_t longest = needs.longest_prompt + std::min(needs.max_new_tokens, spec.max_positions);
  model::CacheNeeds wanted = needs;
  wanted.rows = std::clamp<std::int64_t>(options.batch_tokens / longest, 1, kMostRowsAtOnce);
  return model::plan_cache(spec, dtype, wanted, cache_bytes);
}

engine::ThinkingBudget thinking_budget(std::int64_t max_tokens, const text::ThinkingFormat& format,
                                       const text::Tokenizer& tokenizer,
                                       text::ThinkingOptions::Opened opened) {
  engine::ThinkingBudget budget;
  budget.max_tokens = max_tokens;
  budget.opened_by_prompt = opened == text::ThinkingOptions::Opened::thinking;
  if (format.style == text::ThinkingStyle::none)
    throw ConfigError("thinking_budget: the answers have no thinking that could be closed");
  if (format.style == text::ThinkingStyle::tags) {
    budget.open_ids = tokenizer.encode(format.think_open);
    budget.close_ids = tokenizer.encode(format.think_close);
  } else {
    budget.open_ids = tokenizer.encode("<|channel|>" + format.thinking_channel + "<|message|>");
    budget.close_ids = tokenizer.encode("<|end|>");
    budget.forced_ids =
        tokenizer.encode("<|end|><|start|>assistant<|channel|>" + format.answer_channel + "<|message|>");
  }
  engine::validate(budget);
  return budget;
}

}  // namespace moelab::experiments
