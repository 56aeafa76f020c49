// Training by a command of the user's own: what it is given, and what becomes of what it writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "experiments/sft_examples.h"

namespace moelab::experiments {

struct ExternalTraining {
  std::vector<std::string>
      command;                   // its words; {model}, {train}, {tuning}, {output} and {seed} are filled in
  std::filesystem::path folder;  // for its files; exists
  std::string input;             // digest of all that decides what it writes
};

struct ExternalResult {
  model::Model model;        // for evaluation
  std::string digest;        // of what was trained
  std::int64_t trained = 0;  // weights of an adapter; all of a whole model
  double seconds = 0;        // that the command took, in this call or an earlier one
};

// Writes train.jsonl and tuning.jsonl, a line {"prompt", "completion"} for each example, runs the command
// with the paths as placeholders and in the environment (MOELAB_MODEL, MOELAB_TRAIN, MOELAB_TUNING,
// MOELAB_OUTPUT, MOELAB_SEED), and loads what it wrote into the output folder: an adapter of PEFT, or a whole
// checkpoint of the same architecture, which is read with the original's tokenizer. Its own output goes to
// stdout.log and stderr.log. Throws ConfigError for private questions, whose texts are not written to files;
// Error with the last lines of stderr when the command ends with another status than 0, FileError when it
// wrote neither or what does not fit; what job.check_stop throws, once the command is ended.
ExternalResult train_externally(const ExternalTraining& training, const SftJob& job,
                                const SftQuestions& questions);

}  // namespace moelab::experiments
