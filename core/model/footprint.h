// What a model takes of a device's memory, told from its spec alone.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/model/spec.h"

namespace moelab::model {

// Bytes of keys, values and states of one row of `tokens` tokens, over all layers.
std::int64_t kv_cache_bytes(const ModelSpec& spec, std::int64_t tokens, at::ScalarType dtype);

// What one token more takes of the cache; a state that does not grow with the row is left out.
std::int64_t kv_cache_bytes_per_token(const ModelSpec& spec, at::ScalarType dtype);

// Bytes of weights and of the cache of one row of `tokens` tokens, and a tenth on top for a pass's own
// tensors and the device's context.
std::int64_t running_bytes(const ModelSpec& spec, std::int64_t tokens, at::ScalarType dtype);

// A size of memory that GPUs are sold with.
struct GpuMemory {
  int gigabytes = 0;          // 10^9 bytes; no card has less than it is called after
  const char* examples = "";  // cards with it
};

// The common ones, ascending.
const std::vector<GpuMemory>& common_gpus();

}  // namespace moelab::model
