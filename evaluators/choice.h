// Multiple choice as inspect_ai and lighteval score it, whatever the benchmark: the letter in a written
// answer.
#pragma once

#include <cstddef>
#include <string_view>

#include "evaluators/answer.h"

namespace moelab::evaluators {

inline constexpr std::string_view kChoiceInspect = "choice/inspect";
inline constexpr std::string_view kChoiceLighteval = "choice/lighteval";

// inspect_ai 0.3.285, multiple_choice() and choice() for a single answer. Dollar signs, pairs of asterisks
// and parentheses around letters are taken away first; then
//   line      `(?i)^ANSWER\s*:\s*([A-Za-z\d ,]+)\s*(?:$|\n|\.)` with MULTILINE, the last match
//   anywhere  only if that has none: `(?i)ANSWER\s*:\s*([A-Za-z\d ,]+)(?:[^\w]|\n|$|\.)`, the last match
// A match that holds anything but one option's letter (of either case, with commas beside it) is no answer.
Extraction extract_inspect(std::string_view text, std::size_t n_options);

// lighteval 0.13.0, its English extractor of letters as the GPQA tasks set it. L is the letter of an option,
// bare or in parentheses; P stands for `(?:^| )(?:\*\*)?` and S for `(?:\*\*)?(?:\.|,|\s?:| |$)`. The first
// rule with a match decides, and its last match counts:
//   i_hope            `(?i:final answer is)\:?\s*L\.?\s?I hope`
//   final_answer_is   `(?i:final answer.{0,100}?)\s+is\:?\s*L`
//   answer_colon      `(?i:answer)\s?:.{0,50}?PLS`
//   answer            `(?i:answer).{0,50}?PLS`
//   start             `^(?:\*\*)?LS`
//   line_start        `\n(?:\*\*)?LS`
//   word              `PLS`
//   letter            `L`
Extraction extract_lighteval(std::string_view text, std::size_t n_options);

}  // namespace moelab::evaluators
