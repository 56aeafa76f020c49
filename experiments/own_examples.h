// The examples of a prompt that has its own: questions with their targets, as the YAML files of lm-eval's
// tasks hold them. They are the harness's, so they are read from its file and not part of this project.
#pragma once

#include "experiments/benchmark.h"

namespace moelab::experiments {

// Reads config.examples, one file after another: a .yaml with `fewshot_config: {samples: [{question,
// target}]}` or a .jsonl with an object {question, target} a line. The texts become `text` and `solution`.
// Throws FileError or ConfigError naming file and line: a file that cannot be read, another ending, no list
// of samples, a row without the two texts.
data::QuestionSet read_own_examples(const BenchmarkConfig& config);

}  // namespace moelab::experiments
