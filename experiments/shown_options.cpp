#include "experiments/shown_options.h"

#include "core/base/error.h"
#include "evaluators/mcq.h"

namespace moelab::experiments {

store::QuestionRow as_shown(store::QuestionRow question, const std::optional<std::string>& option_order) {
  if (!option_order) return question;
  const std::vector<std::string> own = question.options;
  const std::size_t right = option_order->find(question.gold);
  if (option_order->size() != own.size() || right == std::string::npos)
    throw StoreError("question {}: the option order '{}' of a sample does not fit its {} options",
                     question.name, *option_order, own.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto from = static_cast<std::size_t>((*option_order)[i] - 'A');
    if (from >= own.size())
      throw StoreError("question {}: the option order '{}' of a sample names an option that is not there",
                       question.name, *option_order);
    question.options[i] = own[from];
  }
  question.gold = evaluators::option_letter(right);
  return question;
}

std::string own_answer(const std::string& answer, const std::optional<std::string>& option_order) {
  const bool in_brackets = answer.size() == 3 && answer.front() == '(' && answer.back() == ')';
  if (!option_order || (answer.size() != 1 && !in_brackets)) return answer;
  const auto shown = static_cast<std::size_t>(answer[in_brackets ? 1 : 0] - 'A');
  return shown < option_order->size() ? std::string(1, (*option_order)[shown]) : answer;
}

}  // namespace moelab::experiments
