// What a study would run, without loading a model: cells, samples and tokens; and where it stores them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/study_config.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

// db= of the command line is meant from the current folder; the configs' own path from the repository's root,
// unless the current folder has it.
std::filesystem::path study_database(const StudyConfig& study, const config::Composed& composed);

struct ForecastRow {
  std::string model, benchmark, domain;
  std::int64_t discovery = 0;                       // questions that experts are found on
  std::int64_t questions = 0;                       // questions that every cell answers
  std::int64_t originals = 0, grid = 0, nulls = 0;  // cells
  std::int64_t repeats = 1;                         // samples a question
  double tokens_per_sample = 0;  // prompt and options, or the longest answer, from the first questions
  std::int64_t cells() const { return originals + grid + nulls; }
  std::int64_t samples() const { return cells() * questions * repeats; }
  double tokens() const { return static_cast<double>(samples()) * tokens_per_sample; }
};

// Reads the questions, and a model's tokenizer where it is there (else a token is taken for four bytes).
// Other domains' plans at the chosen settings come on top. Throws what load_benchmark and make_splits throw.
std::vector<ForecastRow> forecast(const StudyConfig& study);

TextTable forecast_table(const StudyConfig& study, const std::vector<ForecastRow>& rows);

}  // namespace moelab::experiments
