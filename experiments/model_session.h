// A model with its tokenizer, loaded, tested and known by its digests; one at a time.
#pragma once

#include <memory>
#include <string>

#include "core/engine/engine.h"
#include "core/store/store.h"
#include "core/text/tokenizer.h"
#include "experiments/study_config.h"
#include "experiments/study_discovery.h"

namespace moelab::experiments {

class ModelSession {
 public:
  // Loads weights and tokenizer and runs the router's self-test. Throws FileError, ConfigError or Error.
  ModelSession(const ModelConfig& config, const engine::EngineOptions& options);

  const engine::Engine& engine() const { return *engine_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::filesystem::path& directory() const { return config_.path; }

  // Bytes that generation may take for keys and values, as they were planned before the weights were read.
  // Throws ConfigError when the weights leave nothing.
  std::int64_t cache_bytes() const;

  // The row for the store; its digest covers weights and config.json.
  store::ModelRow row() const;
  std::string dtype() const;

  LoadedModel loaded(store::Id id) const;

 private:
  ModelConfig config_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string digest_;
  std::int64_t free_before_load_ = 0;  // bytes
};

// Of a model directory's weights and config.json.
std::string model_digest(const std::filesystem::path& directory);

// JSON: versions of the libraries that figures depend on.
std::string library_versions();

// JSON: device, compute type, threads, batch size, exactness, libraries and version of the program.
std::string provenance_of(const engine::Engine& engine);

}  // namespace moelab::experiments
