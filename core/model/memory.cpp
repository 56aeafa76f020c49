#include "core/model/memory.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "core/base/error.h"
#include "core/model/mxfp4.h"

namespace moelab::model {
namespace {

void require_need(std::int64_t value, const char* key) {
  if (value < 1) throw ConfigError("generation.{} is {}, but must be at least 1", key, value);
}

}  // namespace

CachePlan plan_cache(const ModelSpec& spec, at::ScalarType dtype, const CacheNeeds& needs,
                     std::int64_t budget_bytes) {
  require_need(needs.rows, "rows");
  require_need(needs.longest_prompt, "longest_prompt");
  require_need(needs.max_new_tokens, "max_new_tokens");
  require_need(needs.page_tokens, "page_tokens");
  // Cut before the sum, so that a limit meant as "none" does not overflow it.
  const std::int64_t prompt = std::min(needs.longest_prompt, spec.max_positions);
  const std::int64_t row_tokens = prompt + std::min(needs.max_new_tokens, spec.max_positions - prompt);
  const std::int64_t row_pages = (row_tokens + needs.page_tokens - 1) / needs.page_tokens;
  const std::int64_t page = KvCache::page_bytes(spec, needs.page_tokens, dtype);
  const std::int64_t state = state_bytes(spec, dtype), row_bytes = row_pages * page + 2 * state;
  const std::int64_t rows = std::min(needs.rows, (budget_bytes - state) / row_bytes);
  if (rows < 1)
    throw ConfigError(
        "one row of {} tokens needs {} bytes of KV cache ({} pages of {} bytes{}), and the budget is {}: "
        "lower max_new_tokens, shorten the prompts, or give more memory",
        row_tokens, row_bytes + state, row_pages, page,
        state > 0 ? fmt::format(", and 3 recurrent states of {} bytes", state) : "", budget_bytes);
  return {{rows * row_pages, needs.page_tokens}, rows, rows * row_bytes + state};
}

std::int64_t weight_bytes(const ModelSpec& spec, at::ScalarType dtype) {
  const ParameterCount count = count_parameters(spec);
  return (count.total - count.packed) * static_cast<std::int64_t>(c10::elementSize(dtype)) +
         count.packed / kMxfp4Group * kMxfp4GroupBytes;
}

std::int64_t cache_budget(const ModelSpec& spec, at::ScalarType dtype, std::int64_t free_bytes,
                          double share) {
  if (!(share > 0 && share <= 1))
    throw ConfigError("the share of free memory for the KV cache is {}, but must be above 0 and at most 1",
                      share);
  const std::int64_t weights = weight_bytes(spec, dtype);
  if (weights >= free_bytes)
    throw ConfigError(
        "the model's weights need {} bytes, and {} are free: choose a narrower engine.dtype or a "
        "larger device",
        weights, free_bytes);
  return static_cast<std::int64_t>(share * static_cast<double>(free_bytes - weights));
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  // The CPU's allocator has no exception type of its own.
  return dynamic_cast<const c10::Error*>(&error) != nullptr &&
         std::string_view(error.what()).find("can't allocate memory") != std::string_view::npos;
}

}  // namespace moelab::model
