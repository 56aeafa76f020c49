// What every evaluator of written answers takes: the question's side of a judgement.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "evaluators/mcq.h"

namespace moelab::evaluators {

// What a written answer is judged against.
struct Expected {
  std::string gold;                  // the right option's letter ("C"), or the number as the data has it
  std::vector<std::string> options;  // the options' texts in the order that was shown; none for numbers
};

// The rule of an evaluator that fired, what it took as the answer and where that lies in the text (bytes).
struct Extraction {
  std::string answer;
  std::string_view rule;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// An extraction that gives no answer.
inline Extraction no_extraction() { return {"", "none", 0, 0}; }

// The letter of the right option. Throws Error when `gold` is no letter, or lies behind the last of `limit`
// options.
char gold_letter(std::string_view evaluator, const Expected& expected, std::size_t limit);

}  // namespace moelab::evaluators
