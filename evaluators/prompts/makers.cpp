#include "evaluators/prompts/makers.h"

#include <fmt/format.h>

#include "evaluators/mcq.h"
#include "evaluators/python_text.h"

namespace moelab::prompts {
namespace {

constexpr std::string_view kStepByStep = "Let's think step by step.";
constexpr std::string_view kMultipleChoice =
    "Answer the following multiple choice question. The last line of your response should be of the "
    "following format: 'Answer: $LETTER' (without quotes) where LETTER is one of ABCD. Think step by step "
    "before answering.";

// "A. one\nB. two\n" with another mark behind the letter, and before it.
std::string lettered(const Shown& shown, std::string_view before, std::string_view behind) {
  std::string text;
  for (std::size_t i = 0; i < shown.options.size(); ++i)
    text += fmt::format("{}{}{}{}\n", before, evaluators::option_letter(i), behind, shown.options[i]);
  return text;
}

std::string without_last(std::string text) {
  text.pop_back();
  return text;
}

// Question and options as MMLU-Pro's local script writes them.
std::string mmlu_pro_stem(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("Question:\n{}\nOptions:\n{}", question.text, lettered(shown, "", ". "));
}

std::string mmlu_pro_api_stem(const data::SetQuestion& question, const Shown& shown,
                              std::string_view solution) {
  return fmt::format("Question: {}\nOptions: {}Answer: {}\n\n", question.text, lettered(shown, "", ". "),
                     solution);
}

// Question and options as GPQA's own baseline puts them.
std::string gpqa_official_stem(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("What is the correct answer to this question: {}\n\nChoices:\n{}", question.text,
                     without_last(lettered(shown, "(", ") ")));
}

// A) to D), as simple-evals lists them.
std::string choices_below(const Shown& shown) { return without_last(lettered(shown, "", ") ")); }

}  // namespace

std::string replaced_all(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string no_instruction(const std::string&) { return ""; }

std::string mmlu_pro_instruction(const std::string& domain) {
  return mmlu_pro_lm_eval_instruction(domain) + "\n\n\n";
}

std::string mmlu_pro_lm_eval_instruction(const std::string& domain) {
  return fmt::format(
      "The following are multiple choice questions (with answers) about {}. Think step by step and then "
      "finish your answer with \"the answer is (X)\" where X is the correct letter choice.\n",
      domain);
}

std::string mmlu_pro_api_instruction(const std::string& domain) {
  return fmt::format(
      "The following are multiple choice questions (with answers) about {}. Think step by step and then "
      "output the answer in the format of \"The answer is (X)\" at the end.\n\n",
      domain);
}

std::string mmlu_instruction(const std::string& domain) {
  return fmt::format("The following are multiple choice questions (with answers) about {}.\n\n",
                     replaced_all(domain, "_", " "));
}

std::string mmlu_pro_example(const data::SetQuestion& question, const Shown& shown) {
  return mmlu_pro_stem(question, shown) +
         replaced_all(question.solution, "A: Let's think step by step.",
                      "Answer: Let's think step by step.") +
         "\n\n";
}

std::string mmlu_pro_api_example(const data::SetQuestion& question, const Shown& shown) {
  std::string_view solution = question.solution;
  if (solution.empty()) solution = kStepByStep;
  if (solution.starts_with("A: ")) solution.remove_prefix(3);
  return mmlu_pro_api_stem(question, shown, solution);
}

std::string mmlu_pro_lm_eval_example(const data::SetQuestion& question, const Shown& shown) {
  return mmlu_pro_question(question, shown) + " " +
         replaced_all(question.solution, "A: Let's think step by step. ", "") + "\n\n";
}

std::string mmlu_example(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{} {}\n\n", mmlu_question(question, shown), evaluators::option_letter(shown.answer));
}

std::string gsm8k_example(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{} {}\n\n", aime_lm_eval_question(question, shown), question.solution);
}

std::string gsm8k_cot_example(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{} {}\n\n", gsm8k_cot_question(question, shown), question.solution);
}

std::string mmlu_pro_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{}Answer: {}", mmlu_pro_stem(question, shown), kStepByStep);
}

std::string mmlu_pro_api_question(const data::SetQuestion& question, const Shown& shown) {
  return mmlu_pro_api_stem(question, shown, kStepByStep);
}

std::string mmlu_pro_lighteval_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{}\n\n{}\n\n{}\n\nAnswer:", kMultipleChoice, question.text,
                     without_last(lettered(shown, "", ": ")));
}

std::string gpqa_official_question(const data::SetQuestion& question, const Shown& shown) {
  return gpqa_official_stem(question, shown) +
         "\n\nFormat your response as follows: \"The correct answer is (insert answer here)\"";
}

std::string gpqa_official_cot_question(const data::SetQuestion& question, const Shown& shown) {
  return gpqa_official_stem(question, shown) + "\nLet's think step by step: ";
}

std::string gpqa_simple_evals_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{}\n\n{}\n\n{}", kMultipleChoice, question.text, choices_below(shown));
}

std::string gpqa_lm_eval_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("What is the correct answer to this question:{}\nChoices:\n{}{} ", question.text,
                     lettered(shown, "(", ") "), "Let's think step by step:");
}

std::string gpqa_lighteval_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{}\n\n{}\n\n{}", kMultipleChoice, evaluators::python_stripped(question.text),
                     choices_below(shown));
}

std::string mmlu_question(const data::SetQuestion& question, const Shown& shown) {
  return fmt::format("{}\n{}Answer:", evaluators::python_stripped(question.text), lettered(shown, "", ". "));
}

std::string gsm8k_cot_question(const data::SetQuestion& question, const Shown&) {
  return fmt::format("Q: {}\nA:", question.text);
}

std::string aime_lm_eval_question(const data::SetQuestion& question, const Shown&) {
  return fmt::format("Question: {}\nAnswer:", question.text);
}

std::string aime_lighteval_question(const data::SetQuestion& question, const Shown&) {
  return fmt::format(
      "\nSolve the following math problem efficiently and clearly.  The last line of your response should be "
      "of the following format: 'Therefore, the final answer is: $\\boxed{{ANSWER}}$. I hope it is correct' "
      "(without quotes) where ANSWER is just the final number or expression that solves the problem. Think "
      "step by step before answering.\n\n{}\n",
      question.text);
}

std::string aime_boxed_question(const data::SetQuestion& question, const Shown&) {
  return fmt::format("{}\n\nReason step by step, and put your final answer within \\boxed{{}}.",
                     question.text);
}

}  // namespace moelab::prompts
