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
  if (answer.size() != 1 && !in_brackets) return answer;
  const char letter = answer[in_brackets ? 1 : 0];
  const bool is_lower = letter >= 'a' && letter <= 'z';
  if (!is_lower && (letter < 'A' || letter > 'Z')) return answer;
  const char first = is_lower ? 'a' : 'A';
  const auto shown = static_cast<std::size_t>(letter - first);
  const bool is_moved = option_order && shown < option_order->size();
  return std::string(1, is_moved ? static_cast<char>((*option_order)[shown] - 'A' + first) : letter);
}

}  // namespace moelab::experiments
