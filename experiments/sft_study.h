// The method of kind sft: fine-tunes a model on a domain's discovery questions, and names the cells of the
// result.
#pragma once

#include <functional>
#include <vector>

#include "core/model/model.h"
#include "core/train/sft.h"
#include "experiments/methods.h"
#include "experiments/model_session.h"

namespace moelab::experiments {

// "sft" with one training seed in the study, else "sft/<seed>": a seed is a run of its own, not a setting to
// choose.
std::string sft_method_name(const MethodConfig& method, const StudyConfig& study, std::int64_t seed);

// The cell of a model that was trained on `trained` and is tested on `tested`; of another domain it has the
// role other_domain. `digest` names the trained weights; without one the cell has failed, with `error`.
PlannedCell sft_cell(const std::string& method, const std::string& trained, const std::string& tested,
                     const std::string& digest, const std::string& error = "");

// What one training needs besides the study.
struct SftJob {
  const ModelSession* session = nullptr;
  const StoredBenchmark* stored = nullptr;
  std::string domain;                                      // trained on its discovery questions
  std::int64_t seed = 1;                                   // of the adapter's start and the questions' order
  std::function<void(const train::SftStep&)> report = {};  // after every step; what it throws ends the run
};

struct SftOutcome {
  model::Model model;  // with the changes merged
  std::string digest;  // of what was trained
  store::Id run = 0;   // its training_run
  train::SftResult result;
  std::int64_t questions = 0;  // labelled ones: those trained on and, for the early stop, those of tuning
  std::int64_t trained = 0, total = 0;  // weights
};

// The discovery questions as examples, prompt and right answer as the benchmark puts and scores them; with
// the protocol holdout the tuning questions stop the training early. Throws ConfigError naming a question of
// both sides that is in the test part too, whatever its domain.
struct SftQuestions {
  std::vector<train::SftExample> examples, tuning;
};
SftQuestions sft_questions(const SftJob& job, Protocol protocol);

// What a study's event log says of a training: its run and figures, and what it cost.
Json training_note(const SftJob& job, const SftOutcome& outcome, store::Id model, const std::string& method);

// Trains, or takes up the checkpoint beside the database; the loss curve goes to training_run and
// training_step. Throws Error when the loss exploded, and as train::fine_tune.
SftOutcome run_sft(const SftJob& job, const StudyConfig& study, store::Store& store);

}  // namespace moelab::experiments
