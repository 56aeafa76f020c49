// The orders in which published prompts show the options.
#include <algorithm>

#include "evaluators/prompts/makers.h"
#include "evaluators/python_random.h"
#include "evaluators/python_text.h"

namespace moelab::prompts {
namespace {

using evaluators::PythonRandom;

constexpr std::size_t kLetters = 10;

std::string stripped_text(const std::string& text) { return std::string(evaluators::python_stripped(text)); }

// lm-eval's `preprocess`, one pass each.
std::string cleaned(const std::string& text) {
  return replaced_all(replaced_all(stripped_text(text), " [title]", ". "), "  ", " ");
}

// The first option with the correct one's text is the right one, as list.index finds it.
Shown with_right(std::vector<std::string> options, const std::string& correct) {
  const auto found = std::find(options.begin(), options.end(), correct);
  const auto index = static_cast<std::size_t>(found - options.begin());
  return {std::move(options), index};
}

// I1, I2, I3, C shuffled by the generator of seed 0.
template <typename Clean>
std::vector<Shown> shuffled(const data::QuestionSet& set, const Clean& clean) {
  PythonRandom random(0);
  std::vector<Shown> all;
  for (const data::SetQuestion& question : set.questions) {
    std::vector<std::string> options;
    for (const std::size_t i : {1, 2, 3, 0}) options.push_back(clean(question.options.at(i)));
    random.shuffle(options);
    all.push_back(with_right(std::move(options), clean(question.options[0])));
  }
  return all;
}

}  // namespace

std::vector<Shown> as_published(const data::QuestionSet& set) {
  std::vector<Shown> all;
  for (const data::SetQuestion& question : set.questions) all.push_back({question.options, question.answer});
  return all;
}

std::vector<Shown> without_unavailable(const data::QuestionSet& set) {
  std::vector<Shown> all = as_published(set);
  for (Shown& shown : all) std::erase(shown.options, "N/A");
  return all;
}

std::vector<Shown> first_ten_stripped(const data::QuestionSet& set) {
  std::vector<Shown> all = as_published(set);
  for (Shown& shown : all) {
    shown.options.resize(std::min(kLetters, shown.options.size()));
    for (std::string& option : shown.options) option = stripped_text(option);
  }
  return all;
}

std::vector<Shown> shuffled_official(const data::QuestionSet& set) {
  return shuffled(set, [](const std::string& text) { return text; });
}

std::vector<Shown> shuffled_lm_eval(const data::QuestionSet& set) { return shuffled(set, cleaned); }

std::vector<Shown> shuffled_simple_evals(const data::QuestionSet& set) {
  PythonRandom random(0);
  std::vector<Shown> all;
  for (const data::SetQuestion& question : set.questions) {
    std::vector<std::string> options;
    for (const std::size_t i : random.sample(4, 4)) options.push_back(question.options.at(i));
    all.push_back(with_right(std::move(options), question.options[0]));
  }
  return all;
}

std::vector<Shown> inserted_lighteval(const data::QuestionSet& set) {
  PythonRandom random(1234);
  std::vector<Shown> all;
  for (const data::SetQuestion& question : set.questions) {
    const std::int64_t index = random.randint(0, 3);
    std::vector<std::string> options;
    for (const std::size_t i : {1, 2, 3}) options.push_back(stripped_text(question.options.at(i)));
    options.insert(options.begin() + index, stripped_text(question.options[0]));
    all.push_back({std::move(options), static_cast<std::size_t>(index)});
  }
  return all;
}

}  // namespace moelab::prompts
