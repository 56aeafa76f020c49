#include "evaluators/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest.h"
#include "evaluators/aime_lm_eval.h"
#include "evaluators/choice.h"
#include "evaluators/gpqa.h"
#include "evaluators/gsm8k.h"
#include "evaluators/integer.h"
#include "evaluators/mcq_generated.h"
#include "evaluators/mmlu_pro.h"

namespace moelab::evaluators {
namespace {

template <Extraction (*extract)(std::string_view)>
Extraction from_text(std::string_view text, const Expected&) {
  return extract(text);
}

template <Extraction (*extract)(std::string_view, std::size_t)>
Extraction from_letters(std::string_view text, const Expected& expected) {
  return extract(text, expected.options.size());
}

Extraction from_option_texts(std::string_view text, const Expected& expected) {
  return extract_gpqa_flexible(text, expected.options);
}

template <std::optional<FoundInteger> (*find)(std::string_view)>
Extraction from_integer(std::string_view text, const Expected&) {
  const auto found = find(text);
  if (!found) return no_extraction();
  return {fmt::to_string(found->value), found->rule, found->begin, found->end};
}

bool is_same_letter(const Extraction& found, const Expected& expected) {
  return found.answer == expected.gold;
}

bool is_same_integer(const Extraction& found, const Expected& expected) {
  const std::string& gold = expected.gold;
  int value = 0;
  const auto [end, error] = std::from_chars(gold.data(), gold.data() + gold.size(), value);
  if (error != std::errc() || end != gold.data() + gold.size())
    throw Error("the right answer is '{}'; these evaluators compare integers", gold);
  return found.answer == fmt::to_string(value);
}

bool is_same_latex_answer(const Extraction& found, const Expected& expected) {
  return is_same_latex(found.answer, expected.gold);
}

bool is_same_plain_number(const Extraction& found, const Expected& expected) {
  return found.answer == plain_number(expected.gold);
}

constexpr std::size_t kAtoJ = 10;
constexpr std::size_t kAtoD = 4;
constexpr auto kLetterKind = AnswerKind::letter;
constexpr auto kNumberKind = AnswerKind::number;

constexpr std::array<Evaluator, 14> kEvaluators = {{
    {kAimeExact, 1, kNumberKind, from_integer<find_integer>, is_same_integer},
    {kAimeLenient, 1, kNumberKind, from_integer<find_integer_lenient>, is_same_integer},
    {kAimeLmEval, 1, kNumberKind, from_text<extract_aime_lm_eval>, is_same_latex_answer},
    {kChoiceInspect, 1, kLetterKind, from_letters<extract_inspect>, is_same_letter},
    {kChoiceLighteval, 1, kLetterKind, from_letters<extract_lighteval>, is_same_letter},
    {kGpqaFlexible, 1, kLetterKind, from_option_texts, is_same_letter},
    {kGpqaStrict, 1, kLetterKind, from_text<extract_gpqa_strict>, is_same_letter},
    {kGpqaOfficial, 1, kLetterKind, from_text<extract_gpqa>, is_same_letter, kAtoD},
    {kGpqaSimpleEvals, 1, kLetterKind, from_text<extract_gpqa_simple_evals>, is_same_letter, kAtoD},
    {kGsm8kFlexible, 1, kNumberKind, from_text<extract_gsm8k_flexible>, is_same_plain_number},
    {kGsm8kStrict, 1, kNumberKind, from_text<extract_gsm8k_strict>, is_same_plain_number},
    {kGenerated, 1, kLetterKind, from_text<extract_mmlu_pro>, is_same_letter, kAtoJ},
    {kMmluProLmEval, 1, kLetterKind, from_text<extract_mmlu_pro_lm_eval>, is_same_letter, kAtoJ},
    {kMmluProOfficial, 1, kLetterKind, from_text<extract_mmlu_pro>, is_same_letter, kAtoJ, true},
}};

// Throws Error when the question cannot be what the evaluator judges.
void check_expected(const Evaluator& evaluator, const Expected& expected) {
  if (evaluator.kind == AnswerKind::number) return;
  if (expected.options.empty()) throw Error("{}: the question has no options", evaluator.name);
  // MMLU-Pro's script takes options away and keeps the letter of the right one, so the letter may lie behind
  // them.
  const std::size_t limit =
      evaluator.letters == kAtoJ ? kAtoJ : std::min(evaluator.letters, expected.options.size());
  gold_letter(evaluator.name, expected, limit);
}

}  // namespace

std::span<const Evaluator> all_evaluators() { return kEvaluators; }

const Evaluator& find_evaluator(std::string_view name) {
  const auto found = std::find_if(kEvaluators.begin(), kEvaluators.end(),
                                  [&](const Evaluator& each) { return each.name == name; });
  if (found != kEvaluators.end()) return *found;
  std::vector<std::string> names;
  for (const Evaluator& each : kEvaluators) names.emplace_back(each.name);
  throw ConfigError("there is no evaluator '{}'; did you mean '{}'? Valid: {}", name,
                    nearest_first(name, names).front(), fmt::join(names, ", "));
}

Verdict judge_written(const Evaluator& evaluator, const WrittenAnswer& answer, const Expected& expected,
                      PythonRandom* random) {
  check_expected(evaluator, expected);
  Verdict verdict{.evaluator = std::string(evaluator.name), .version = evaluator.version, .rule = "unclosed"};
  if (!answer.closed) return verdict;
  Extraction found = evaluator.extract(answer.text, expected);
  const bool has_answer = found.rule != no_extraction().rule;
  if (!has_answer && evaluator.guesses && random != nullptr) {
    found.answer = option_letter(official_guess(*random, expected.options.size()));
    found.rule = "random_guess";
    verdict.guessed = true;
  }
  verdict.rule = std::string(found.rule);
  verdict.correct = (has_answer || verdict.guessed) && evaluator.is_correct(found, expected);
  verdict.answer = std::move(found.answer);
  verdict.begin = found.begin;
  verdict.end = found.end;
  return verdict;
}

}  // namespace moelab::evaluators
