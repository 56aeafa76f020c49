#include "experiments/published_questions.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/config/nearest.h"
#include "evaluators/data/near_duplicates.h"
#include "evaluators/prompts/makers.h"
#include "experiments/own_examples.h"

namespace moelab::experiments {
namespace {

std::vector<std::string> groups_of(const data::QuestionSet& set) {
  std::vector<data::GroupItem> items;
  for (const data::SetQuestion& question : set.questions) items.push_back({question.name, question.text});
  return data::duplicate_groups(items);
}

// An integer from 0 to 999, as the prompt `worked` asks for.
bool fits_worked(const std::string& number) {
  return !number.empty() && number.size() <= 3 && std::all_of(number.begin(), number.end(), is_digit);
}

// What a style of the project's own shows: GPQA's file has the correct option first, so an order is drawn.
std::vector<prompts::PutQuestion> put_own_style(const data::QuestionSet& set, const BenchmarkConfig& config) {
  const bool wants_options = config.prompt != PromptStyle::worked;
  const auto shown = set.is_private() ? prompts::shuffled_official(set) : prompts::as_published(set);
  std::vector<prompts::PutQuestion> put;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i].options.empty() == wants_options)
      throw ConfigError("the benchmark '{}': the prompt '{}' {} options, and the question {} has {}",
                        config.name, name_of(config.prompt), wants_options ? "needs" : "cannot show",
                        set.questions[i].name, shown[i].options.size());
    const std::string& number = set.questions[i].number;
    if (config.prompt == PromptStyle::worked && !fits_worked(number))
      throw ConfigError(
          "the benchmark '{}': the answer of the question {} is '{}', and the prompt 'worked' judges "
          "integers from 0 to 999",
          config.name, set.questions[i].name, number);
    put.push_back({shown[i], nullptr, ""});
  }
  return put;
}

// Every question of the set, in its order; where the prompt redraws the options, all of them again for each
// further repeat, as simple-evals' `examples * n_repeats`.
std::vector<prompts::PutQuestion> put_published(const data::QuestionSet& set, const BenchmarkConfig& config,
                                                const data::QuestionSet* examples) {
  data::QuestionSet rows = set;
  const std::int64_t orders = config.published->redraws ? config.repeats() : 1;
  for (std::int64_t i = 1; i < orders; ++i)
    rows.questions.insert(rows.questions.end(), set.questions.begin(), set.questions.end());
  return prompts::put_questions(*config.published, rows, examples, static_cast<std::size_t>(config.shots));
}

std::string content_digest(const Question& question) {
  return sha256(canonical_json({{"text", question.text},
                                {"options", question.options},
                                {"answer", question.answer},
                                {"number", question.number}}));
}

Question make_question(const data::SetQuestion& source, prompts::PutQuestion put,
                       const BenchmarkConfig& config) {
  Question question;
  question.name = source.name;
  question.domain = domain_name(domain_key(source.domain), source.subdomain, source.name, config);
  question.subdomain = source.subdomain;
  question.text = source.text;
  question.options = put.shown.options;
  question.answer = put.shown.answer;
  question.number = source.number;
  // Other numbers, such as GSM8K's, stay texts.
  question.integer = fits_worked(source.number) ? std::stoi(source.number) : 0;
  question.right_text = source.options.empty() ? source.number : source.options.at(source.answer);
  question.digest = content_digest(question);
  if (put.lead) question.put = std::move(put);
  return question;
}

}  // namespace

std::string domain_key(const std::string& name) {
  std::string key;
  for (const char c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter || is_digit(c) || static_cast<unsigned char>(c) >= 0x80)
      key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!key.empty() && key.back() != '_')
      key += '_';
  }
  while (key.ends_with('_')) key.pop_back();
  return key;
}

std::string domain_name(const std::string& domain, const std::string& subdomain, const std::string& question,
                        const BenchmarkConfig& config) {
  if (config.domain_by == "all") return config.name;
  if (config.domain_by == "domain") return domain;
  if (subdomain.empty())
    throw ConfigError("the benchmark '{}': domain_by is 'subdomain', but the question {} has none",
                      config.name, question);
  return domain_key(subdomain);
}

void keep_domains(const BenchmarkConfig& config, Benchmark& benchmark) {
  for (const std::string& name : config.domains) benchmark.domain(name);
  if (config.domains.empty()) return;
  std::erase_if(benchmark.domains, [&](const auto& entry) {
    return std::find(config.domains.begin(), config.domains.end(), entry.first) == config.domains.end();
  });
}

Benchmark load_published(const BenchmarkConfig& config) {
  const data::QuestionSet set = data::read_question_set(config.files);
  Benchmark benchmark{config, {}};
  benchmark.is_private = set.is_private();
  std::optional<data::QuestionSet> examples;
  if (config.published != nullptr && config.shots > 0 && !config.examples.empty()) {
    examples = config.published->has_own_examples ? read_own_examples(config)
                                                  : data::read_question_set(config.examples);
    benchmark.examples_digest = data::set_digest(*examples);
  }
  std::vector<prompts::PutQuestion> put = config.published == nullptr
                                              ? put_own_style(set, config)
                                              : put_published(set, config, examples ? &*examples : nullptr);
  const std::vector<std::string> groups = groups_of(set);
  for (std::size_t i = 0; i < set.questions.size(); ++i) {
    Question question = make_question(set.questions[i], std::move(put[i]), config);
    question.group = groups[i];
    question.is_private = set.is_private();
    for (std::size_t k = i + set.questions.size(); k < put.size(); k += set.questions.size())
      question.again.push_back(std::move(put[k]));
    benchmark.domains[question.domain].push_back(std::move(question));
  }
  keep_domains(config, benchmark);
  return benchmark;
}

}  // namespace moelab::experiments
