// What a study would run, without loading a model: cells, samples and tokens; and where it stores them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/study_counts.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

// db= of the command line is meant from the current folder; the configs' own path from the repository's root,
// unless the current folder has it.
std::filesystem::path study_database(const StudyConfig& study, const config::Composed& composed);

struct ForecastRow {
  std::string model, benchmark, domain;
  std::int64_t discovery = 0;  // questions that experts are found on
  std::int64_t questions = 0;  // questions that every cell answers
  CellCounts cells;
  std::int64_t unasked = 0;      // questions x settings that a halving leaves out
  std::int64_t repeats = 1;      // samples a question
  double tokens_per_sample = 0;  // prompt and options, or the longest answer, from the first questions
  std::int64_t samples() const { return (cells.total() * questions - unasked) * repeats; }
  double tokens() const { return static_cast<double>(samples()) * tokens_per_sample; }
};

// Reads the questions, and a model's tokenizer where it is there (else a token is taken for four bytes).
// Of a study with transfer the database is looked into for the plans; of others it is not opened. Other
// domains' plans at the chosen settings come on top. Throws what load_benchmark, make_splits and
// require_study throw, and ConfigError above limits.cells.
std::vector<ForecastRow> forecast(const StudyConfig& study, const std::filesystem::path& database);

TextTable forecast_table(const StudyConfig& study, const std::vector<ForecastRow>& rows);

}  // namespace moelab::experiments
