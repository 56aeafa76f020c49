// Questions whose answer is an integer from 0 to 999, as AIME asks them: the number that a written answer
// gives.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "evaluators/mcq.h"

namespace moelab::evaluators {

inline constexpr std::string_view kAimeExact = "aime/exact";
inline constexpr std::string_view kAimeLenient = "aime/lenient";

struct FoundInteger {
  int value = 0;
  std::string_view rule;  // boxed, after_marker, last_integer
  std::size_t begin = 0;  // its bytes, with the sign
  std::size_t end = 0;
};

// The last `\boxed{...}` whose braces balance decides alone: its content without white space around it must
// be `[+-]?[0-9]+` with a value from 0 to 999, else there is no answer. Without such a box it is the last
// integer that follows "answer is", "answer:" (in any case) or "=" in the final 200 characters, where white
// space and the marks $ * ( { : may lie between; a number that goes on with a fraction ("12.5", "1,024",
// "3/4") is none; a value beyond 0 to 999 gives no answer. Linear in the text's length.
std::optional<FoundInteger> find_integer(std::string_view text);

// As find_integer, and where there is neither a box nor an integer behind a marker, the last integer anywhere
// (last_integer): a run of ASCII digits that is no part of a number with a fraction or of a grouped one. A
// sign before it counts unless an ASCII letter, a digit or a closing bracket stands before the sign. A value
// beyond 0 to 999 gives no answer.
std::optional<FoundInteger> find_integer_lenient(std::string_view text);

// The verdict of aime/exact on the answer's text (thinking left out). While the thinking was not `closed`
// there is no answer, whatever the text says. Without an answer it is "", the rule "none" (or "unclosed"),
// and wrong.
Verdict judge_integer(std::string_view answer, bool closed, int gold);

}  // namespace moelab::evaluators
