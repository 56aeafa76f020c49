// The parts of each published prompt: how options are arranged, and the texts around question and options.
#pragma once

#include <string>
#include <vector>

#include "evaluators/prompts/prompt.h"

namespace moelab::prompts {

// As the file has them.
std::vector<Shown> as_published(const data::QuestionSet& set);

// MMLU-Pro's own scripts: options that are exactly "N/A" are taken away, and the right letter stays.
std::vector<Shown> without_unavailable(const data::QuestionSet& set);
// lm-eval: white space around options is taken off; the first ten are shown.
std::vector<Shown> first_ten_stripped(const data::QuestionSet& set);

// GPQA's orders. Each draws for one row after another; the right index is the first option that equals the
// correct one.
std::vector<Shown> shuffled_official(const data::QuestionSet& set);  // seed 0, shuffle of I1 I2 I3 C
std::vector<Shown> shuffled_simple_evals(
    const data::QuestionSet& set);  // Random(0).sample(range(4), 4) of C I1 I2 I3
std::vector<Shown> shuffled_lm_eval(const data::QuestionSet& set);  // as the official one, of cleaned texts
std::vector<Shown> inserted_lighteval(
    const data::QuestionSet& set);  // seed 1234, C put in at randint(0, 3), stripped

// Every `from` in the text becomes `to`, read from the left, as Python's str.replace does.
std::string replaced_all(std::string text, std::string_view from, std::string_view to);

std::string no_instruction(const std::string& domain);
std::string mmlu_pro_instruction(const std::string& domain);
std::string mmlu_pro_api_instruction(const std::string& domain);
std::string mmlu_pro_lm_eval_instruction(const std::string& domain);
std::string mmlu_instruction(const std::string& domain);

std::string mmlu_pro_example(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_pro_api_example(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_pro_lm_eval_example(const data::SetQuestion& question, const Shown& shown);
std::string gsm8k_example(const data::SetQuestion& question, const Shown& shown);
std::string gsm8k_cot_example(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_example(const data::SetQuestion& question, const Shown& shown);

std::string mmlu_pro_question(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_pro_api_question(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_pro_lighteval_question(const data::SetQuestion& question, const Shown& shown);
std::string gpqa_official_cot_question(const data::SetQuestion& question, const Shown& shown);
std::string gpqa_official_question(const data::SetQuestion& question, const Shown& shown);
std::string gpqa_simple_evals_question(const data::SetQuestion& question, const Shown& shown);
std::string gpqa_lm_eval_question(const data::SetQuestion& question, const Shown& shown);
std::string gpqa_lighteval_question(const data::SetQuestion& question, const Shown& shown);
std::string mmlu_question(const data::SetQuestion& question, const Shown& shown);
std::string gsm8k_cot_question(const data::SetQuestion& question, const Shown& shown);
std::string aime_lm_eval_question(const data::SetQuestion& question, const Shown& shown);
std::string aime_lighteval_question(const data::SetQuestion& question, const Shown& shown);
std::string aime_boxed_question(const data::SetQuestion& question, const Shown& shown);

}  // namespace moelab::prompts
