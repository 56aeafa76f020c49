// The evaluators of written answers by name, so that a configuration can say which ones judge.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluators/answer.h"
#include "evaluators/python_random.h"

namespace moelab::evaluators {

// What the answers to a benchmark's questions are.
enum class AnswerKind { letter, number };

struct Evaluator {
  std::string_view name;
  int version = 1;
  AnswerKind kind = AnswerKind::letter;
  Extraction (*extract)(std::string_view text, const Expected& expected) = nullptr;
  bool (*is_correct)(const Extraction& found, const Expected& expected) = nullptr;
  std::size_t letters = 26;  // that its rules know
  bool guesses = false;      // the makers' script guesses where nothing is found
};

// All of them, ordered by name.
std::span<const Evaluator> all_evaluators();

// Throws ConfigError naming the nearest and all of them when there is none of this name.
const Evaluator& find_evaluator(std::string_view name);

// The answer's text without thinking. While the thinking was not closed there is no answer, whatever the
// text.
struct WrittenAnswer {
  std::string_view text;
  bool closed = true;
};

// The verdict on one answer. Without an answer it is "", wrong, and the rule is "none" (or "unclosed"). With
// `random` an evaluator that guesses draws an option then, as its makers' script does: the rule is
// "random_guess" and `guessed` is set. Throws Error when what is expected cannot be: a letter that the
// options lack, a number that the evaluator cannot compare.
Verdict judge_written(const Evaluator& evaluator, const WrittenAnswer& answer, const Expected& expected,
                      PythonRandom* random = nullptr);

}  // namespace moelab::evaluators
