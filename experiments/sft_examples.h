// What fine-tuning on a domain learns: its discovery questions with their right answers, or with the model's
// own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/train/sft.h"
#include "experiments/model_session.h"

namespace moelab::experiments {

// What one training needs besides the study.
struct SftJob {
  const ModelSession* session = nullptr;
  const StoredBenchmark* stored = nullptr;
  std::string domain;                        // trained on its discovery questions
  std::int64_t seed = 1;                     // of the adapter's start and the questions' order
  std::filesystem::path folder;              // where trainings keep their files; made where it is missing
  std::function<void()> check_stop = [] {};  // called often; what it throws ends the training
};

// An example as text: in the chat template where the benchmark puts its questions through it.
struct TextExample {
  std::string prompt, completion;
};

struct ExampleSet {
  std::vector<train::SftExample> examples;
  std::vector<TextExample> texts;  // [examples]

  std::size_t size() const { return examples.size(); }
  ExampleSet picked(const std::vector<std::size_t>& indices) const;
};

struct SftQuestions {
  ExampleSet examples, tuning;
  std::int64_t asked = 0;  // questions, those included that no own answer was right for
};

// What is known before anything runs. Throws ConfigError for keys of the section `sft` that contradict each
// other, for traces of a benchmark whose answers are scored or asked for in two calls, and Error for probes
// of the drift that cannot be read (read_probes).
void require_trainable(const StudyConfig& study);

// The discovery questions as examples, prompt and answer as the benchmark puts and scores them; with the
// protocol holdout the tuning questions stop the training early. With `sft.answers=traces` the answer is what
// the model itself writes, as the benchmark asks for it (its first repeat), thinking and end included, where
// that is judged right by the study's evaluator; the others are left out. What it has written is kept in the
// job's folder. Throws ConfigError naming a question of both sides that is in the test part too, whatever its
// domain; when no trace is right.
SftQuestions sft_questions(const SftJob& job, const StudyConfig& study);

}  // namespace moelab::experiments
