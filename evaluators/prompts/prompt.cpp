#include "evaluators/prompts/prompt.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "evaluators/prompts/makers.h"
#include "evaluators/python_random.h"

namespace moelab::prompts {
namespace {

constexpr std::int64_t kExampleSeed = 1234;  // lm-eval's

using Lead = std::shared_ptr<const std::vector<std::string>>;

// Where the first `shots` examples stand: of the domain, or of the whole file where the prompt has its own.
std::vector<std::size_t> first_examples(const Prompt& prompt, const std::string& domain,
                                        const data::QuestionSet* examples, std::size_t shots) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; examples != nullptr && i < examples->questions.size() && chosen.size() < shots;
       ++i) {
    const data::SetQuestion& question = examples->questions[i];
    if (!prompt.has_own_examples && question.domain != domain) continue;
    if (prompt.kind == data::SetKind::mmlu_pro && question.solution.empty())
      throw ConfigError(
          "the example {} has no worked solution (cot_content); MMLU-Pro's validation rows have one",
          question.name);
    chosen.push_back(i);
  }
  if (chosen.size() < shots)
    throw ConfigError("the prompt {} puts {} examples before a question{}; the file of examples has {}",
                      prompt.name, shots, prompt.has_own_examples ? "" : fmt::format(" of '{}'", domain),
                      chosen.size());
  return chosen;
}

Lead make_lead(const Prompt& prompt, const std::string& domain, const data::QuestionSet* examples,
               const std::vector<Shown>& shown, const std::vector<std::size_t>& chosen) {
  std::vector<std::string> texts = {prompt.instruction(domain)};
  for (const std::size_t i : chosen) texts.push_back(prompt.example(examples->questions[i], shown[i]));
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
  if (prompt.draws_examples && examples->questions.size() < shots)
    throw ConfigError("the prompt {} draws {} examples for each question; the file of examples has {}",
                      prompt.name, shots, examples->questions.size());
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
  std::map<std::string, Lead> leads;  // by domain
  evaluators::PythonRandom random(kExampleSeed);
  std::vector<PutQuestion> put;
  for (std::size_t i = 0; i < set.questions.size(); ++i) {
    const data::SetQuestion& question = set.questions[i];
    Lead& lead = leads[question.domain];
    if (prompt.draws_examples && shots > 0)
      lead = make_lead(prompt, question.domain, examples, shown_examples,
                       random.sample(shown_examples.size(), shots));
    else if (!lead)
      lead = make_lead(prompt, question.domain, examples, shown_examples,
                       first_examples(prompt, question.domain, examples, shots));
    std::string text = prompt.question(question, shown[i]);
    put.push_back({std::move(shown[i]), lead, std::move(text)});
  }
  return put;
}

}  // namespace moelab::prompts
