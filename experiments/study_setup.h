// Puts a study's row, questions and splits into the store before any model is loaded.
#pragma once

#include <span>
#include <vector>

#include "core/store/store.h"
#include "core/text/tokenizer.h"
#include "experiments/score_cells.h"
#include "experiments/study_config.h"
#include "experiments/study_discovery.h"

namespace moelab::experiments {

struct PreparedStudy {
  store::Id id = 0;
  std::vector<StoredBenchmark> benchmarks;
};

// Throws ConfigError for a domain that a benchmark does not have and for splits that do not fit, FileError
// for questions that cannot be read, StoreError.
PreparedStudy prepare_study(const StudyConfig& study, store::Store& store);

// The scored questions of one domain as tokens of one model, whose directory has the chat template. Throws
// Error naming the question, ConfigError when the benchmark asks for a chat template and there is none.
std::vector<ScoredQuestion> scored_questions(const StoredBenchmark& stored, const std::string& domain,
                                             const text::Tokenizer& tokenizer,
                                             const std::filesystem::path& model_directory);

// Throws ConfigError when the KV cache of a model could not hold the longest answer of a benchmark that
// generates: before the weights are read, not after.
void require_cache(const ModelConfig& model, std::span<const StoredBenchmark> benchmarks,
                   const engine::EngineOptions& options);

}  // namespace moelab::experiments
