// Multiple choice by scored options: from each option's log-probability to the chosen letter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::evaluators {

// One scored option. The log-probability is the sum over its tokens, in nats.
struct OptionScore {
  double log_probability = 0;
  std::int64_t tokens = 1;  // of the continuation
  std::int64_t bytes = 1;   // of the continuation's text, the leading space included
};

// An evaluator's judgement; see VerdictRow of core/store.
struct Verdict {
  std::string evaluator;
  int version = 1;
  std::string answer = "";  // the option's letter, or the number; empty: no answer
  std::string rule = "";
  bool correct = false;
  std::size_t begin = 0;  // where a written answer was found: bytes [begin, end) of its text
  std::size_t end = 0;
  bool guessed = false;  // nothing was found, and the answer was drawn at random
};

// 'A' + index. Throws Error beyond 'Z'.
std::string option_letter(std::size_t index);

// Evaluators of questions whose options were scored as text after the short question.
//   mcq_continuation       the largest sum of log-probabilities
//   mcq_continuation_norm  the largest sum divided by the option's bytes, so that long options are not put
//                          at a disadvantage and the figure does not depend on the tokenizer
// Of the options' letters after the lettered question.
//   mcq_letter             the largest sum, as the code released with DSMoE decides
// The first of equals wins everywhere.
inline constexpr std::string_view kContinuation = "mcq_continuation";
inline constexpr std::string_view kContinuationNorm = "mcq_continuation_norm";
inline constexpr std::string_view kLetter = "mcq_letter";

// The verdict of the named evaluator. `gold` is the index of the right option. Throws Error when there is no
// option, a figure is NaN, an option has no bytes, `gold` is out of range or the evaluator is unknown.
Verdict judge_options(std::string_view evaluator, std::span<const OptionScore> options, std::size_t gold);

// One line of JSON for the store: {"logp": [...], "tokens": [...], "bytes": [...]}, log-probabilities in
// millionths.
std::string to_json(std::span<const OptionScore> options);

// Reads it back. Throws FileError naming `origin`.
std::vector<OptionScore> from_json(std::string_view text, std::string_view origin);

// As the store keeps it: rounded to millionths, so that a verdict can be made again from the stored figures.
double rounded(double log_probability);

}  // namespace moelab::evaluators
