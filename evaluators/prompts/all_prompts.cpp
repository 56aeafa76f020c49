// The table of prompts.
#include <array>

#include "evaluators/aime_lm_eval.h"
#include "evaluators/choice.h"
#include "evaluators/gpqa.h"
#include "evaluators/gsm8k.h"
#include "evaluators/integer.h"
#include "evaluators/mcq.h"
#include "evaluators/mmlu_pro.h"
#include "evaluators/prompts/makers.h"

namespace moelab::prompts {
namespace {

using data::SetKind;

constexpr std::size_t kFive = 5;
constexpr std::size_t kEight = 8;
constexpr std::string_view kMmluProSource = "TIGER-AI-Lab/MMLU-Pro f418b11";
constexpr std::string_view kLmEval = "lm-eval 0.4.13";
constexpr std::string_view kLighteval = "lighteval 0.13.0";
constexpr std::string_view kGpqaBaseline = "idavidrein/gpqa, run_baseline.py (from public copies)";
constexpr std::string_view kMostLikely =
    "\n\nBased on the above, what is the single, most likely answer choice? "
    "Answer in the format \"The correct answer is (insert answer here)\".";

// A prompt without examples whose answer the model writes.
constexpr Prompt plain_prompt(std::string_view name, SetKind kind, std::string_view evaluator,
                              std::string_view source, decltype(Prompt::arrange) arrange,
                              decltype(Prompt::question) question) {
  return {.name = name,
          .kind = kind,
          .evaluator = evaluator,
          .source = source,
          .arrange = arrange,
          .instruction = no_instruction,
          .question = question};
}

// Version 2: every repeat has an order of its own, as in the maker's script.
constexpr Prompt redrawn(Prompt prompt) {
  prompt.version = 2;
  prompt.redraws = true;
  return prompt;
}

constexpr Prompt asked_again(Prompt prompt, std::string_view follow_up) {
  prompt.follow_up = follow_up;
  return prompt;
}

constexpr std::array<Prompt, 16> kPrompts = {{
    plain_prompt("aime/boxed", SetKind::aime, evaluators::kAimeExact, "moelab", as_published,
                 aime_boxed_question),
    plain_prompt("aime/lighteval", SetKind::aime, evaluators::kAimeExact, kLighteval, as_published,
                 aime_lighteval_question),
    plain_prompt("aime/lm_eval", SetKind::aime, evaluators::kAimeLmEval, kLmEval, as_published,
                 aime_lm_eval_question),
    plain_prompt("gpqa/lighteval", SetKind::gpqa, evaluators::kChoiceLighteval, kLighteval,
                 inserted_lighteval, gpqa_lighteval_question),
    plain_prompt("gpqa/lm_eval", SetKind::gpqa, evaluators::kGpqaFlexible, kLmEval, shuffled_lm_eval,
                 gpqa_lm_eval_question),
    plain_prompt("gpqa/official", SetKind::gpqa, evaluators::kGpqaOfficial, kGpqaBaseline, shuffled_official,
                 gpqa_official_question),
    asked_again(plain_prompt("gpqa/official_cot", SetKind::gpqa, evaluators::kGpqaOfficial, kGpqaBaseline,
                             shuffled_official, gpqa_official_cot_question),
                kMostLikely),
    redrawn(plain_prompt("gpqa/simple_evals", SetKind::gpqa, evaluators::kGpqaSimpleEvals,
                         "openai/simple-evals ee3b031", shuffled_simple_evals, gpqa_simple_evals_question)),
    {.name = "gsm8k/lm_eval",
     .kind = SetKind::gsm8k,
     .evaluator = evaluators::kGsm8kFlexible,
     .shots = kFive,
     .takes_examples = true,
     .draws_examples = true,
     .source = kLmEval,
     .arrange = as_published,
     .instruction = no_instruction,
     .example = gsm8k_example,
     .question = aime_lm_eval_question},
    {.name = "gsm8k/lm_eval_cot",
     .kind = SetKind::gsm8k,
     .evaluator = evaluators::kGsm8kFlexible,
     .shots = kEight,
     .takes_examples = true,
     .has_own_examples = true,
     .source = kLmEval,
     .arrange = as_published,
     .instruction = no_instruction,
     .example = gsm8k_cot_example,
     .question = gsm8k_cot_question},
    {.name = "mmlu/lm_eval",
     .kind = SetKind::mmlu,
     .evaluator = evaluators::kLetter,
     .takes_examples = true,
     .is_scored = true,
     .source = kLmEval,
     .arrange = as_published,
     .instruction = mmlu_instruction,
     .example = mmlu_example,
     .question = mmlu_question},
    plain_prompt("mmlu_pro/lighteval", SetKind::mmlu_pro, evaluators::kChoiceLighteval, kLighteval,
                 as_published, mmlu_pro_lighteval_question),
    {.name = "mmlu_pro/lm_eval",
     .kind = SetKind::mmlu_pro,
     .evaluator = evaluators::kMmluProLmEval,
     .shots = kFive,
     .takes_examples = true,
     .source = kLmEval,
     .arrange = first_ten_stripped,
     .instruction = mmlu_pro_lm_eval_instruction,
     .example = mmlu_pro_lm_eval_example,
     .question = mmlu_pro_question},
    {.name = "mmlu_pro/official",
     .kind = SetKind::mmlu_pro,
     .evaluator = evaluators::kMmluProOfficial,
     .shots = kFive,
     .takes_examples = true,
     .token_limit = 2048,
     .source = kMmluProSource,
     .arrange = without_unavailable,
     .instruction = mmlu_pro_instruction,
     .example = mmlu_pro_example,
     .question = mmlu_pro_question},
    {.name = "mmlu_pro/official_api",
     .kind = SetKind::mmlu_pro,
     .evaluator = evaluators::kMmluProOfficial,
     .shots = kFive,
     .takes_examples = true,
     .source = kMmluProSource,
     .arrange = without_unavailable,
     .instruction = mmlu_pro_api_instruction,
     .example = mmlu_pro_api_example,
     .question = mmlu_pro_api_question},
    {.name = "mmlu_pro/zero_shot",
     .kind = SetKind::mmlu_pro,
     .evaluator = evaluators::kMmluProOfficial,
     .source = kMmluProSource,
     .arrange = without_unavailable,
     .instruction = mmlu_pro_api_instruction,
     .question = mmlu_pro_api_question},
}};

}  // namespace

std::span<const Prompt> all_prompts() { return kPrompts; }

}  // namespace moelab::prompts
