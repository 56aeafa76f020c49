// The section `sft` of a study: how its method of kind sft trains.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/binder.h"
#include "core/train/sft.h"
#include "experiments/sft_selection.h"

namespace moelab::experiments {

// Alignment drift: requests that a model should refuse, put to it before and after training.
struct DriftConfig {
  std::filesystem::path probes;      // see read_probes; empty: not measured
  std::int64_t max_new_tokens = 48;  // of an answer
};

struct SftConfig {
  std::string trainer = "moelab";    // or external: a command of the user's own
  std::vector<std::string> command;  // of the external trainer, see train_externally
  std::string answers = "gold";      // what is learned: the right answers, or the model's own right traces
  SftSelection selection;            // of examples
  DriftConfig drift;
  std::string kind = "lora";  // see train::TuneOptions
  std::int64_t rank = 16;
  double alpha = 32;
  std::string layout = "modules";    // of an adapter: modules or parameters
  std::vector<std::string> targets;  // [] for attention and experts; for all of kind full
  bool router = false;
  std::int64_t steps = 100;  // see train::SftOptions from here on
  std::int64_t batch_rows = 8;
  std::int64_t accumulation = 1;
  bool recompute = false;
  std::int64_t evaluate_every = 10;
  std::int64_t patience = 3;
  double explosion = 10;
  double learning_rate = 1e-4;
  std::int64_t warmup = 10;
  std::string schedule = "cosine";
  double weight_decay = 0;
  double clip = 1;

  bool is_external() const { return trainer == "external"; }
  train::TuneOptions tune_options(std::int64_t seed) const;
  train::SftOptions sft_options(std::int64_t seed) const;
};

config::Binder<SftConfig> sft_binder();

// Throws ConfigError for keys that contradict each other.
void validate(const SftConfig& config);

// Everything that decides the trained weights. What came later than the first trainings and is not used is
// left out, so that those keep their keys.
Json training_json(const SftConfig& config);

// Takes the same out of a study's section `sft`, for its hash.
void forget_unused(Json& section);

}  // namespace moelab::experiments
