// Multiple choice that was answered in writing: the letter that MMLU-Pro's own script finds in the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "evaluators/mcq.h"

namespace moelab::evaluators {

inline constexpr std::string_view kGenerated = "mcq_generated";

// A letter found in a text, the rule that found it and the letter's place.
struct FoundLetter {
  char letter = 'A';
  std::string_view rule;
  std::size_t at = 0;  // byte
};

// The cascade of TIGER-AI-Lab/MMLU-Pro, evaluate_from_local.py, on letters A to J, case-sensitive:
//   answer_is   `answer is \(?([A-J])\)?`, the first match
//   answer      `.*[aA]nswer:\s*([A-J])`, the last match on the first line that has one
//   last_letter `\b[A-J]\b(?!.*\b[A-J]\b)`, the last letter that stands alone; the words "A" and "I" count
// Nothing when no rule fires. Linear in the text's length.
std::optional<FoundLetter> find_letter(std::string_view text);

// The first of these rules alone.
std::optional<FoundLetter> find_answer_is(std::string_view text);

// The verdict of mcq_generated on the answer's text (thinking left out). `gold` is the index of the right
// option. Where no rule fires the answer is "", the rule "none", and it is wrong: the official script guesses
// at random there, which this evaluator does not. Throws Error when `gold` is beyond J, the last letter that
// the rules know.
Verdict judge_letter(std::string_view answer, std::size_t gold);

}  // namespace moelab::evaluators
