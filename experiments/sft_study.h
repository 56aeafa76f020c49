// The method of kind sft: fine-tunes a model on a domain's discovery questions, and names the cells of the
// result.
#pragma once

#include <optional>
#include <string>

#include "core/model/model.h"
#include "core/train/sft.h"
#include "experiments/methods.h"
#include "experiments/sft_examples.h"

namespace moelab::experiments {

// "sft" with one training seed in the study, else "sft/<seed>": a seed is a run of its own, not a setting to
// choose.
std::string sft_method_name(const MethodConfig& method, const StudyConfig& study, std::int64_t seed);

// The cell of a model that was trained on `trained` and is tested on `tested`; of another domain it has the
// role other_domain. `digest` names the trained weights; without one the cell has failed, with `error`.
PlannedCell sft_cell(const std::string& method, const std::string& trained, const std::string& tested,
                     const std::string& digest, const std::string& error = "");

struct SftOutcome {
  std::optional<model::Model> model;      // with the changes merged; there once trained
  std::string digest;                     // of what was trained
  store::Id run = 0;                      // its training_run
  train::SftResult result;                // of moelab's own trainer
  std::optional<double> command_seconds;  // of an external one
  std::int64_t questions = 0;  // labelled ones: those trained on and, for the early stop, those of tuning
  std::int64_t asked = 0;      // before those without a right trace of the model's own were left out
  std::int64_t left_out = 0;   // by their gradient
  std::int64_t trained = 0, total = 0;  // weights
  Json selection;  // every example's gradient norm, and which were kept; null where none is selected
};

// Selects examples and trains on them, or takes up the checkpoint in the job's folder, or has the user's
// command train; the loss curve goes to training_run and training_step. What was trained lies in a folder of
// its own below the job's: an adapter as PEFT reads it, or the whole model. Throws Error when the loss
// exploded, and as train::fine_tune, sft_questions, keep_examples and train_externally.
SftOutcome run_sft(const SftJob& job, const StudyConfig& study, store::Store& store);

}  // namespace moelab::experiments
