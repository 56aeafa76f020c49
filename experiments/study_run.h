// Runs a study: every missing cell of every model is scored, stored and analysed; the same call resumes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

struct RunProgress {
  std::string model, domain;
  std::string phase;  // load, discover, grid, other_domain, calibrate, transfer, train, probe, analyse
  std::int64_t cells_done = 0, cells_total = 0;      // of the study; the total grows by other domains' plans
  std::int64_t samples_done = 0, samples_total = 0;  // of this call
  double tokens_per_second = 0;                      // token rows through the model, over this call's scoring
  double seconds_left = 0;                           // at the rate so far; 0 while unknown
};

struct RunHooks {
  std::function<void(const RunProgress&)> progress;  // may be empty; called several times a chunk
  const std::atomic<bool>* interrupt =
      nullptr;  // when it turns true, the chunk in work is stored and the run ends
};

struct RunSummary {
  std::int64_t cells_done = 0;  // complete after this call (inert and partial ones too) that were not before
  std::int64_t cells_failed = 0;   // of the study, after this call
  std::int64_t cells_skipped = 0;  // complete before this call
  std::int64_t samples_new = 0;
  double seconds = 0;
  std::vector<std::string> trainings;  // a line for each fine-tuning
  std::vector<std::string> problems;   // what went wrong beside the grid and left no cell; in the log as well

  bool has_failed() const { return cells_failed > 0 || !problems.empty(); }
};

// Loads one model at a time, tests its router stage, discovers experts, scores all missing samples of all
// methods together, runs other domains' plans at the settings that were chosen, and analyses. A model or plan
// that fails marks its cells failed with the reason, what fails beside the grid is one of `problems`, and the
// study goes on to its end, but is finished only when nothing failed. Throws ConfigError for questions
// or splits that do not fit, StoreError when a result cannot be stored, and Interrupted (what is stored
// stays).
RunSummary run_study(const StudyConfig& study, store::Store& store, const RunHooks& hooks = {});

}  // namespace moelab::experiments
