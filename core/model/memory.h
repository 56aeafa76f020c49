// What fits into memory: a KV cache planned from config.json alone, and failed allocations told from other
// errors.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <exception>

#include "core/model/kv_cache.h"
#include "core/model/spec.h"

namespace moelab::model {

// What a run asks of its cache.
struct CacheNeeds {
  std::int64_t rows = 8;              // samples side by side, at most
  std::int64_t longest_prompt = 1;    // tokens
  std::int64_t max_new_tokens = 256;  // of a sample
  std::int64_t page_tokens = 16;      // tokens in a page
};

struct CachePlan {
  KvCacheOptions cache;
  std::int64_t rows = 0;   // that run side by side without waiting for pages
  std::int64_t bytes = 0;  // of the whole cache, with the recurrent states of the rows
};

// Room for as many rows of the longest kind as `budget_bytes` holds, and no more than asked for. A row has at
// most longest_prompt + max_new_tokens tokens, and no more than the model has positions; where it has a
// recurrent state, that counts twice (before and after a pass), and once for a kept prompt. Throws
// ConfigError on a size that is not positive, and when the budget does not hold one row: the text says how
// many bytes it needs.
CachePlan plan_cache(const ModelSpec& spec, at::ScalarType dtype, const CacheNeeds& needs,
                     std::int64_t budget_bytes);

// Bytes of all weights (count_parameters); packed experts take 17 bytes for 32 values in every dtype.
std::int64_t weight_bytes(const ModelSpec& spec, at::ScalarType dtype);

// The usual budget: `share` of what the weights will leave of `free_bytes`. The rest is for the passes
// themselves. Throws ConfigError when the weights leave nothing, or the share is not in (0, 1].
std::int64_t cache_budget(const ModelSpec& spec, at::ScalarType dtype, std::int64_t free_bytes,
                          double share = 0.8);

// Whether an allocation failed, on the CPU or a GPU.
bool is_out_of_memory(const std::exception& error);

}  // namespace moelab::model
