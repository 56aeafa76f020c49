#include "core/model/footprint.h"

#include "core/model/kv_cache.h"
#include "core/model/memory.h"
#include "core/model/recurrent_state.h"

namespace moelab::model {

std::int64_t kv_cache_bytes(const ModelSpec& spec, std::int64_t tokens, at::ScalarType dtype) {
  return KvCache::page_bytes(spec, tokens, dtype) + state_bytes(spec, dtype);
}

std::int64_t kv_cache_bytes_per_token(const ModelSpec& spec, at::ScalarType dtype) {
  return kv_cache_bytes(spec, 2, dtype) - kv_cache_bytes(spec, 1, dtype);
}

std::int64_t running_bytes(const ModelSpec& spec, std::int64_t tokens, at::ScalarType dtype) {
  const std::int64_t held = weight_bytes(spec, dtype) + kv_cache_bytes(spec, tokens, dtype);
  return held + held / 10;
}

const std::vector<GpuMemory>& common_gpus() {
  static const std::vector<GpuMemory> gpus = {{16, "T4, RTX 4080"},
                                              {24, "RTX 3090, RTX 4090, A10, L4"},
                                              {40, "A100 40GB"},
                                              {48, "A40, L40S, RTX 6000 Ada"},
                                              {80, "A100 80GB, H100"},
                                              {141, "H200"},
                                              {180, "B200"}};
  return gpus;
}

}  // namespace moelab::model
