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

// How questions become tokens of one model.
struct QuestionContext {
  const text::Tokenizer& tokenizer;
  std::filesystem::path model_directory;  // has the chat template
  std::string hint = {};                  // put before each question
};

// Questions of one domain, by their places in it, as tokens of one model. Throws Error naming the question,
// ConfigError when the benchmark asks for a chat template and there is none.
std::vector<ScoredQuestion> ready_questions(const StoredBenchmark& stored, const std::string& domain,
                                            std::span<const std::size_t> places,
                                            const QuestionContext& context);

// Those that are scored.
std::vector<ScoredQuestion> scored_questions(const StoredBenchmark& stored, const std::string& domain,
                                             const QuestionContext& context);

// Throws ConfigError when the KV cache of a model could not hold the longest answer of a benchmark that
// generates, behind the longest hint of the study: before the weights are read, not after.
void require_cache(const ModelConfig& model, std::span<const StoredBenchmark> benchmarks,
                   const StudyConfig& study);

}  // namespace moelab::experiments
