// Writes a model directory anew as transformers loads it: shards of a chosen size, another weight type.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace moelab::model {

struct ExportOptions {
  std::optional<at::ScalarType> dtype;       // of the weights; none: each as it is stored
  std::int64_t shard_bytes = 5'000'000'000;  // a shard holds as many tensors as fit, and at least one
  std::function<void(std::int64_t done, std::int64_t total)> on_bytes = {};  // after each tensor; may throw
};

struct ExportReport {
  std::int64_t tensors = 0;
  std::int64_t bytes = 0;
  std::int64_t shards = 0;
};

// Copies the model in `source` to the new folder `target`: weights tensor by tensor (one at a time is in
// memory), config.json with its dtype set, and every other file that is no weights: tokenizer, chat template,
// generation_config.json. Packed weights (U8) and what transformers keeps in float32 (Family::float_tensors)
// stay as they are. `target` appears whole or not at all. Throws ConfigError when `target` exists or the
// shard size is not positive; FileError on damaged weights, and when a weight becomes infinite in the
// narrower type; what `on_bytes` throws.
ExportReport export_checkpoint(const std::filesystem::path& source, const std::filesystem::path& target,
                               const ExportOptions& options);

}  // namespace moelab::model
