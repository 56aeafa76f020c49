// Splits a gain into what the format, the length limit and the content of the answers contributed.
#pragma once

#include <cstdint>
#include <span>

namespace moelab::statistics {

// One question and repeat under one plan.
struct AnswerState {
  bool is_right = false;
  bool is_parsed = true;    // an answer was found in the text, not guessed
  bool is_cut_off = false;  // a limit on tokens stopped the text
};

// Question-repeats that changed sides for one reason.
struct GainPart {
  std::int64_t gained = 0;  // wrong under the first, right under the second
  std::int64_t lost = 0;    // the other way
  std::int64_t net() const { return gained - lost; }
  bool operator==(const GainPart&) const = default;
};

// All question-repeats that changed sides, each in exactly one part:
//   truncation  one of the two texts was cut off and the other not
//   format      else: in one of the two an answer was found and in the other not
//   content     else: both texts ended alike and both were parsed alike
struct GainParts {
  std::int64_t n = 0;  // question-repeats compared
  GainPart format, truncation, content;
  // Right answers more under the second; divided by n it is the gain.
  std::int64_t net() const { return format.net() + truncation.net() + content.net(); }
};

// Compares answers in pairs. Throws Error when the lengths differ.
GainParts split_gain(std::span<const AnswerState> first, std::span<const AnswerState> second);

}  // namespace moelab::statistics
