#include "evaluators/prompts/prompt.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "evaluators/prompts/makers.h"

namespace moelab::prompts {
namespace {

using Lead = std::shared_ptr<const std::vector<std::string>>;

Lead make_lead(const Prompt& prompt, const std::string& domain, const data::QuestionSet* examples,
               const std::vector<Shown>& shown, std::size_t shots) {
  std::vector<std::string> texts = {prompt.instruction(domain)};
  for (std::size_t i = 0; i < shown.size() && texts.size() <= shots; ++i) {
    const data::SetQuestion& question = examples->questions[i];
    if (question.domain != domain) continue;
    if (prompt.kind == data::SetKind::mmlu_pro && question.solution.empty())
      throw ConfigError(
          "the example {} has no worked solution (cot_content); MMLU-Pro's validation rows have one",
          question.name);
    texts.push_back(prompt.example(question, shown[i]));
  }
  if (texts.size() <= shots)
    throw ConfigError("the prompt {} puts {} examples before a question of '{}'; the file of examples has {}",
                      prompt.name, shots, domain, texts.size() - 1);
  return std::make_shared<const std::vector<std::string>>(std::move(texts));
}

void check_request(const Prompt& prompt, const data::QuestionSet& set, const data::QuestionSet* examples,
                   std::size_t shots) {
  if (set.kind != prompt.kind)
    throw ConfigError("the prompt {} is for {}, the questions are {}", prompt.name, name_of(prompt.kind),
                      set.layout);
  if (shots == 0) return;
  if (!prompt.takes_examples)
    throw ConfigError("the prompt {} takes no examples; leave out shots", prompt.name);
  if (examples == nullptr)
    throw ConfigError(
        "the prompt {} puts {} examples before each question: name the file that has them in "
        "'examples', or set shots: 0",
        prompt.name, shots);
  if (examples->kind != prompt.kind)
    throw ConfigError("the prompt {} is for {}, the examples are {}", prompt.name, name_of(prompt.kind),
                      examples->layout);
}

}  // namespace

std::string PutQuestion::text(std::size_t shots) const {
  if (shots > examples()) throw Error("{} examples are asked for, there are {}", shots, examples());
  std::string text;
  for (std::size_t i = 0; i <= shots; ++i) text += (*lead)[i];
  return text + question;
}

bool is_prompt(std::string_view name) {
  const auto all = all_prompts();
  return std::any_of(all.begin(), all.end(), [&](const Prompt& prompt) { return prompt.name == name; });
}

const Prompt& find_prompt(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Prompt& prompt : all_prompts()) {
    if (prompt.name == name) return prompt;
    names.push_back(prompt.name);
  }
  throw ConfigError("there is no prompt '{}'; valid: {}", name, fmt::join(names, ", "));
}

std::vector<PutQuestion> put_questions(const Prompt& prompt, const data::QuestionSet& set,
                                       const data::QuestionSet* examples, std::size_t shots) {
  check_request(prompt, set, examples, shots);
  std::vector<Shown> shown = prompt.arrange(set);
  const std::vector<Shown> shown_examples = shots > 0 ? prompt.arrange(*examples) : std::vector<Shown>();
  std::map<std::string, Lead> leads;
  std::vector<PutQuestion> put;
  for (std::size_t i = 0; i < set.questions.size(); ++i) {
    const data::SetQuestion& question = set.questions[i];
    Lead& lead = leads[question.domain];
    if (!lead) lead = make_lead(prompt, question.domain, examples, shown_examples, shots);
    std::string text = prompt.question(question, shown[i]);
    put.push_back({std::move(shown[i]), lead, std::move(text)});
  }
  return put;
}

}  // namespace moelab::prompts
