// Runs that other tools made, read from their log files: lm-evaluation-harness and inspect_ai.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace moelab::experiments {

// The fields of a document in which published sets name a question's domain, the first that is there counts.
inline constexpr const char* kDomainFields[] = {"category", "High-level domain", "domain", "subject"};

// The first of the fields that is there and a text; "" without one.
std::string text_field(const Json& document, std::span<const char* const> names);

// What the tool's own scorer made of a sample.
struct ToolVerdict {
  std::string evaluator;              // "lm-eval/strict-match/exact_match", "inspect/choice"
  std::optional<std::string> answer;  // nothing: none found, or the tool does not say
  bool correct = false;
};

struct ImportedSample {
  std::string question;              // its name: the tool's id
  std::string text;                  // the question, or the prompt where the log has no question
  std::vector<std::string> options;  // none for a number
  std::string gold;                  // the right option's letter, or the number
  std::string domain;
  int repeat = 0;
  std::string output;                      // all that the log keeps of the reply
  std::int64_t n_think = 0, n_answer = 0;  // tokens, 0 where the log does not count them
  bool truncated = false;
  std::string stop;  // why it stopped, "" where the log does not say
  std::vector<ToolVerdict> verdicts;
};

struct ImportedRun {
  std::string tool;  // lm-eval, inspect
  std::string task;
  std::string model;        // as the log names it, "" where it does not
  bool is_private = false;  // a document has columns that only GPQA has: its text is not stored
  bool is_complete = true;  // the tool says that the run ended well
  std::vector<ImportedSample> samples;
};

// samples_TASK_TIME.jsonl of `lm_eval --log_samples`, generate_until tasks: a row a question and filter.
// Options are the document's `options`, `choices` or choice1, choice2, ...; the right answer is the target,
// without parentheses around a letter and without what stands before "#### ". Every reply of a question is a
// repeat; the harness's verdict belongs to the first. Throws FileError naming the file and the row: no JSON
// object, a missing field (with those that are there), replies that are log-likelihoods, rows of a question
// that differ.
ImportedRun read_lm_eval(const std::filesystem::path& path);

// A log of inspect_ai as JSON: every sample and epoch with its choices, target and scores. Thinking that the
// log keeps apart from the reply is counted where the usage says how much it was, and left out of the text.
// Throws FileError naming the file and the sample; a .eval archive (zip) is refused with the command that
// converts it.
ImportedRun read_inspect(const std::filesystem::path& path);

}  // namespace moelab::experiments
