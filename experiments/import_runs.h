// Brings runs that other tools made into the database, so that tables and tests read them as its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/imported_run.h"

namespace moelab::experiments {

struct ImportRequest {
  std::string study;                    // its name; "" is "TOOL-TASK"
  std::string model;                    // "" is what the log names
  std::string method = "original";      // the plan that was run; others are compared with the original
  std::string thinking = "none";        // how the replies mark thinking: a family of text::thinking_format
  std::vector<std::string> evaluators;  // ours that judge too; none: those made for the task
};

struct ImportSummary {
  store::Id study = 0;
  std::string study_name;
  std::int64_t cells = 0, questions = 0, samples = 0, verdicts = 0;
  std::int64_t repeats = 1;             // samples a question
  std::vector<std::string> evaluators;  // ours that judged
  bool has_original = false;            // the study has an original to compare with
};

// Stores the run as one cell a domain: questions, samples, the tool's verdicts and ours, all in one
// transaction, and makes the study's comparisons. The tool's first scorer is the study's evaluator where it
// judged every sample, else the first of ours. The same
// file again adds nothing. Throws ConfigError when the model has no name, when the study exists and was not
// imported from this task with as many repeats, when a question lacks a repeat, or an evaluator that was
// asked for cannot judge; StoreError when a sample that is there has another reply.
ImportSummary import_run(store::Store& store, const ImportedRun& run, const ImportRequest& request);

}  // namespace moelab::experiments
