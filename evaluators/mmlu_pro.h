// MMLU-Pro as its makers score it and as lm-evaluation-harness does: the letter in a written answer.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "evaluators/answer.h"
#include "evaluators/python_random.h"

namespace moelab::evaluators {

inline constexpr std::string_view kMmluProOfficial = "mmlu_pro/official";
inline constexpr std::string_view kMmluProLmEval = "mmlu_pro/lm_eval";
inline constexpr std::int64_t kOfficialGuessSeed = 12345;

// find_letter of mcq_generated.h: the rules answer_is, answer and last_letter of TIGER-AI-Lab/MMLU-Pro,
// evaluate_from_local.py at f418b11.
Extraction extract_mmlu_pro(std::string_view text);

// lm-evaluation-harness, task mmlu_pro 3.1, filter custom-extract: `answer is \(?([ABCDEFGHIJ])\)?`, the
// first match (answer_is); no second rule and no guess.
Extraction extract_mmlu_pro_lm_eval(std::string_view text);

// The official guess for an answer in which nothing was found, random.randint(0, n_options - 1): an index.
std::size_t official_guess(PythonRandom& random, std::size_t n_options);

// The guesses behind the figure that the official script prints. `unanswered` holds, for every subject in
// sorted order, the option counts of the questions in which nothing was found, in the file's order. The
// script scores each subject twice and keeps the second result, so two rounds are drawn and the second is
// returned.
std::vector<std::vector<std::size_t>> official_guesses(
    const std::vector<std::vector<std::size_t>>& unanswered);

}  // namespace moelab::evaluators
