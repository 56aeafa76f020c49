#include "experiments/study_choices.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/json.h"
#include "experiments/benchmark.h"

namespace moelab::experiments {

namespace {

// Those of the benchmark's original, so that verdicts which were added later are compared too.
std::vector<std::string> evaluators_with_verdicts(store::Store& store, store::Id study,
                                                  const std::string& benchmark) {
  std::vector<std::string> names;
  store::Statement row = store.database().prepare(
      "SELECT DISTINCT v.evaluator FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
      "JOIN sample AS s ON s.cell = c.id JOIN verdict AS v ON v.sample = s.id "
      "WHERE x.study = ?1 AND x.role = 'original' AND c.benchmark = ?2 ORDER BY 1");
  row.bind(study, benchmark);
  while (row.step()) names.push_back(row.get<std::string>(0));
  return names;
}

// The evaluators that judged a stored benchmark's answers.
std::vector<std::string> stored_evaluators(const Json& benchmark, const std::string& prompt,
                                           const std::string& origin) {
  BenchmarkConfig config;
  config.prompt = parse_prompt_style(prompt);
  config.evaluators = json_get_or<std::vector<std::string>>(benchmark, "evaluators", {}, origin);
  if (config.prompt == PromptStyle::published && config.evaluators.empty())
    config.evaluators.emplace_back(prompts::find_prompt(prompt).evaluator);
  return evaluators_of(config);
}

}  // namespace

StoredStudy read_study(store::Store& store, store::Id id) {
  const store::StudyRow row = store.study(id);
  const std::string origin = "study.config";
  const Json config = parse_json(row.config, origin);
  StoredStudy study;
  study.id = id;
  study.protocol = parse_protocol(row.protocol);
  study.evaluator = json_get<std::string>(config, "evaluator", origin);
  study.limited = json_get_or<std::int64_t>(config, "limit", 0, origin) > 0;
  const Json search = json_get_or<Json>(config, "search", Json::object(), origin);
  study.search.kind = json_get_or(search, "kind", study.search.kind, origin);
  study.search.seed = json_get_or(search, "seed", study.search.seed, origin);
  study.search.eta = json_get_or(search, "eta", study.search.eta, origin);
  study.search.rungs = json_get_or(search, "rungs", study.search.rungs, origin);
  if (config.contains("nulls"))
    study.null_match = json_get_or<std::string>(config["nulls"], "match", "", origin);
  for (const Json& benchmark :
       json_get<Json>(json_get<Json>(config, "options", origin), "benchmark", origin)) {
    const auto prompt = json_get_or<std::string>(benchmark, "prompt", "short", origin);
    const PromptStyle style = parse_prompt_style(prompt);
    auto names = stored_evaluators(benchmark, prompt, origin);
    const auto name = json_get<std::string>(benchmark, "name", origin);
    for (const std::string& judged : evaluators_with_verdicts(store, id, name))
      if (std::find(names.begin(), names.end(), judged) == names.end()) names.push_back(judged);
    std::stable_partition(names.begin(), names.end(),
                          [&](const std::string& n) { return n == study.evaluator; });
    study.evaluators[name] = std::move(names);
    const Json generation = json_get_or<Json>(benchmark, "generation", Json::object(), origin);
    study.repeats[name] =
        is_generated(style) ? json_get_or<std::int64_t>(generation, "repeats", 1, origin) : 1;
  }
  return study;
}

std::optional<DomainAnswers> domain_answers(const DomainCells& cells, const std::string& evaluator,
                                            AnswerTable table) {
  DomainAnswers answers{&cells, evaluator, std::move(table), {}, nullptr, nullptr};
  for (const auto& [cell, role] : cells.cells) {
    const auto found = answers.table.cells.find(cell.id);
    if (found == answers.table.cells.end()) continue;
    if (role == "original") answers.original = &found->second;
    if (role == "aa") answers.again = &found->second;
  }
  if (answers.original == nullptr || answers.table.questions.empty()) return std::nullopt;
  return answers;
}

std::optional<DomainAnswers> read_domain(store::Store& store, const StoredStudy& study,
                                         const DomainCells& cells, const StoredSplit& split,
                                         const std::string& evaluator) {
  const std::int64_t repeats = study.repeats.at(cells.benchmark);
  auto answers = domain_answers(cells, evaluator, read_answers(store, cells, split, evaluator, repeats));
  if (!answers) return std::nullopt;
  answers->parts = parts_of(split, answers->table, study.protocol);
  if (answers->parts.empty()) return std::nullopt;
  return answers;
}

std::vector<Answers> answers_of_candidates(const DomainAnswers& domain,
                                           const std::vector<Candidate>& candidates) {
  std::vector<Answers> answers;
  for (const Candidate& candidate : candidates) answers.push_back(domain.table.cells.at(candidate.cell));
  return answers;
}

std::vector<Selected> select_all(const DomainAnswers& domain) {
  std::set<std::tuple<std::string, int, std::string>> methods;
  for (const auto& [cell, role] : domain.cells->cells)
    if (role == "grid" || role == "null") methods.emplace(cell.method, cell.draw, cell.steered_domain);
  std::vector<Selected> all;
  for (const auto& [method, draw, steered_domain] : methods) {
    Selected selected{method, draw, steered_domain, candidates_of(*domain.cells, domain.table, method, draw),
                      {},     {}};
    if (selected.candidates.empty()) continue;
    selected.choices =
        choose(domain.parts, answers_of_candidates(domain, selected.candidates), *domain.original);
    selected.modal = modal_choice(selected.choices, selected.candidates.size());
    all.push_back(std::move(selected));
  }
  return all;
}

}  // namespace moelab::experiments
