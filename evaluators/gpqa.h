// GPQA as its makers, simple-evals and lm-evaluation-harness score it: the letter in a written answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evaluators/answer.h"

namespace moelab::evaluators {

inline constexpr std::string_view kGpqaOfficial = "gpqa/official";
inline constexpr std::string_view kGpqaSimpleEvals = "gpqa/simple_evals";
inline constexpr std::string_view kGpqaStrict = "gpqa/lm_eval_strict";
inline constexpr std::string_view kGpqaFlexible = "gpqa/lm_eval_flexible";

// idavidrein/gpqa, run_baseline.py: the first of five patterns whose first match holds one of A to D
//   answer_is       `answer is \((.)\)`
//   answer_capital  `Answer: \((.)\)`
//   answer_small    `answer: \((.)\)`
//   answer_bare     `answer \((.)\)`
//   parentheses     `\((.)\)`
// Later matches of a pattern are not tried.
Extraction extract_gpqa(std::string_view text);

// openai/simple-evals, gpqa_eval.py at ee3b031: `(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?`, the first match
// (answer). The letter keeps its case, and a small one is wrong.
Extraction extract_gpqa_simple_evals(std::string_view text);

// lm-evaluation-harness, gpqa_*_cot_zeroshot 2.2, strict-match: `(?<=The answer is )(.*)(?=.)`, the first
// match (answer_is), which lacks the last character of its line. An answer that is one letter but for ASCII
// punctuation is given as that capital letter, since exact_match ignores case and punctuation; any other is
// given as it stands.
Extraction extract_gpqa_strict(std::string_view text);

// The same task's flexible-extract (multi_choice_regex, lm-eval 0.4.13), given as the strict one gives it:
//   parentheses  `(\([A-Z]\))`, the last match
//   option_text  the last text of an option, both sides in lower case and without Unicode punctuation
//   colon        `:[\s]*(A|B|C|D)`, the last match, with as many letters as there are options
// The span of option_text is empty: the text that is searched is another one.
Extraction extract_gpqa_flexible(std::string_view text, const std::vector<std::string>& options);

}  // namespace moelab::evaluators
