#include "experiments/method_budget.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/base/json.h"
#include "experiments/discovery_overlap.h"
#include "experiments/study_notes.h"
#include "experiments/text_table.h"

namespace moelab::experiments {
namespace {

// The grid's cells, the original's and the null draws'. Equal plans are run once, and their time is shared.
std::vector<MethodBudget> scored(store::Store& store, const TableRequest& request) {
  std::vector<MethodBudget> budgets;
  store::Statement row = store.database().prepare(
      "SELECT m.name, c.benchmark, c.domain, c.method, count(*), sum(c.tokens), sum(c.seconds), "
      "sum((SELECT coalesce(sum(s.n_think), 0) FROM sample AS s WHERE s.cell = c.id)), "
      "sum((SELECT coalesce(sum(s.n_answer), 0) FROM sample AS s WHERE s.cell = c.id)) "
      "FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN model AS m ON m.id = c.model "
      "WHERE x.study = ?1 AND x.role IN ('original', 'grid', 'null') GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, "
      "4");
  row.bind(request.study);
  while (row.step()) {
    MethodBudget budget;
    budget.model = row.get<std::string>(0);
    budget.benchmark = row.get<std::string>(1);
    budget.domain = row.get<std::string>(2);
    budget.method = row.get<std::string>(3);
    if (!is_wanted(request.models, budget.model) || !is_wanted(request.domains, budget.domain) ||
        !is_wanted(request.methods, budget.method))
      continue;
    budget.cells = row.get<std::int64_t>(4);
    budget.tokens = row.get<std::int64_t>(5);
    budget.seconds = row.get<double>(6);
    budget.thinking = row.get<std::int64_t>(7);
    budget.answer = row.get<std::int64_t>(8);
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

// Whether a note of traces or of a fine-tuning is one of the method's on this model, benchmark and domain.
bool is_of(store::Store& store, const Json& note, const MethodBudget& budget) {
  return store.model(note.at("model").get<store::Id>()).name == budget.model &&
         note.at("benchmark") == budget.benchmark && note.at("domain") == budget.domain &&
         note.at("method") == budget.method;
}

// The discovery runs behind the method's plans.
void add_discovery(store::Store& store, store::Id study, bool reads_labels, MethodBudget& budget) {
  store::Statement row = store.database().prepare(
      "SELECT coalesce(sum(seconds), 0), coalesce(sum(n_questions), 0) FROM discovery_run WHERE id IN "
      "(SELECT p.run FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN plan AS p ON p.id = c.plan "
      "JOIN model AS m ON m.id = c.model WHERE x.study = ?1 AND x.role IN ('grid', 'null') AND m.name = ?2 "
      "AND c.benchmark = ?3 AND c.domain = ?4 AND c.method = ?5)");
  row.bind(study, budget.model, budget.benchmark, budget.domain, budget.method);
  if (!row.step()) return;
  budget.discovery = row.get<double>(0);
  budget.discovery_questions = row.get<std::int64_t>(1);
  if (reads_labels) budget.labelled_discovery = static_cast<double>(budget.discovery_questions);
}

// The traces that the method's ranking was read off: several runs, one for each marker, read those of one
// domain.
void add_traces(store::Store& store, store::Id study, MethodBudget& budget) {
  std::set<store::Id> runs;
  for (const Json& note : notes(store, study, "trace")) {
    if (!is_of(store, note, budget)) continue;
    const auto run = note.at("run").get<store::Id>();
    const store::DiscoveryRow row = store.discovery(run);
    if (!runs.insert(run).second) continue;
    budget.traces = runs.size() == 1 ? row.seconds : budget.traces + row.seconds;
    budget.trace_tokens = static_cast<double>(row.n_tokens);
    if (note.value("per", "domain") == "sample")
      budget.test_seen = *store.database().find<std::int64_t>(
          "SELECT count(*) FROM split WHERE study = ?1 AND assignment = 0 AND role = 'test' AND question IN "
          "(SELECT question FROM routing_count WHERE run = ?2)",
          study, run);
  }
}

// `repeats`: samples of a question, which a choice counts one by one.
void add_choice(store::Store& store, store::Id study, std::int64_t repeats, MethodBudget& budget) {
  const auto answers = store.database().find<double>(
      "SELECT coalesce(avg(n), 0) FROM (SELECT CASE WHEN count(DISTINCT j.value ->> 'cell') > 1 "
      "THEN max(j.value ->> 'n') ELSE 0 END AS n FROM selection AS x, json_each(x.candidates) AS j "
      "JOIN model AS m ON m.id = x.model WHERE x.study = ?1 AND m.name = ?2 AND x.benchmark = ?3 AND "
      "x.domain = ?4 AND x.method = ?5 GROUP BY x.id)",
      study, budget.model, budget.benchmark, budget.domain, budget.method);
  budget.labelled_choice = answers.value_or(0) / static_cast<double>(repeats);
}

// The fine-tuning runs behind the method's cells: their time, and the questions whose right answers they
// read. Notes of earlier versions count only those that an example was kept of.
void add_training(store::Store& store, store::Id study, MethodBudget& budget) {
  std::map<store::Id, Json> trainings;  // by run: one that was gone on with has several notes
  for (const Json& note : notes(store, study, "training")) {
    if (is_of(store, note, budget)) trainings[note.at("run").get<store::Id>()] = note;
  }
  if (trainings.empty()) return;
  budget.training = 0;
  for (const auto& [run, note] : trainings) {
    const char* read = note.contains("asked_questions") ? "asked_questions" : "labelled_questions";
    budget.labelled_training += note.at(read).get<double>();
    budget.training +=
        *store.database().find<double>("SELECT coalesce(max(seconds), ?2) FROM training_step WHERE run = ?1",
                                       run, note.value("command_seconds", 0.0));
  }
}

// Refusals before and after the method's fine-tuning.
void add_drift(store::Store& store, store::Id study, MethodBudget& budget) {
  for (const Json& note : newest_drift(store, study)) {
    if (!is_of(store, note, budget)) continue;
    budget.probed = 1;
    budget.refused_before = note.at("refused_before").get<double>();
    budget.refused_after = note.at("refused_after").get<double>();
  }
}

// Samples of a question, by benchmark.
std::map<std::string, std::int64_t> stored_repeats(const Json& config) {
  const std::string origin = "study.config";
  std::map<std::string, std::int64_t> repeats;
  const Json options = json_get_or<Json>(config, "options", Json::object(), origin);
  for (const Json& benchmark : json_get_or<Json>(options, "benchmark", Json::array(), origin)) {
    const Json generation = json_get_or<Json>(benchmark, "generation", Json::object(), origin);
    repeats[json_get<std::string>(benchmark, "name", origin)] =
        json_get_or<std::int64_t>(generation, "repeats", 1, origin);
  }
  return repeats;
}

void add_known(double& sum, double value) {
  if (!std::isnan(value)) sum = (std::isnan(sum) ? 0 : sum) + value;
}

void add_to_mean(double& mean, std::int64_t count, double value) {
  mean = count == 0 ? value : mean + (value - mean) / static_cast<double>(count + 1);
}

void add_to(MethodBudget& sum, const MethodBudget& budget) {
  if (budget.probed > 0) {
    add_to_mean(sum.refused_before, sum.probed, budget.refused_before);
    add_to_mean(sum.refused_after, sum.probed, budget.refused_after);
    ++sum.probed;
  }
  sum.cells += budget.cells;
  sum.tokens += budget.tokens;
  sum.thinking += budget.thinking;
  sum.answer += budget.answer;
  sum.seconds += budget.seconds;
  sum.discovery += budget.discovery;
  add_known(sum.traces, budget.traces);
  add_known(sum.trace_tokens, budget.trace_tokens);
  add_known(sum.training, budget.training);
  sum.discovery_questions += budget.discovery_questions;
  sum.labelled_discovery += budget.labelled_discovery;
  sum.labelled_choice += budget.labelled_choice;
  sum.labelled_training += budget.labelled_training;
  sum.test_seen += budget.test_seen;
}

}  // namespace

std::vector<MethodBudget> method_budgets(store::Store& store, const TableRequest& request) {
  const Json config = parse_json(store.study(request.study).config, "study.config");
  const Json discovery = json_get_or<Json>(config, "discovery", Json::object(), "study.config");
  const bool reads_labels = json_get_or<std::string>(discovery, "loss", "prompt", "study.config") == "answer";
  auto repeats = stored_repeats(config);
  const auto overlaps = discovery_overlaps(store, request);
  std::vector<MethodBudget> budgets = scored(store, request);
  for (MethodBudget& budget : budgets) {
    add_discovery(store, request.study, reads_labels, budget);
    add_choice(store, request.study, repeats.try_emplace(budget.benchmark, 1).first->second, budget);
    add_traces(store, request.study, budget);
    add_training(store, request.study, budget);
    add_drift(store, request.study, budget);
    if (budget.discovery_questions == 0) continue;
    for (const DiscoveryOverlap& overlap : overlaps)
      if (std::tie(overlap.model, overlap.benchmark, overlap.domain) ==
          std::tie(budget.model, budget.benchmark, budget.domain))
        budget.test_seen = overlap.questions;
  }
  return budgets;
}

std::vector<MethodBudget> summed_over_domains(const std::vector<MethodBudget>& budgets) {
  std::map<std::tuple<std::string, std::string, std::string>, MethodBudget> sums;
  for (const MethodBudget& budget : budgets) {
    MethodBudget& sum = sums[{budget.model, budget.benchmark, budget.method}];
    sum.model = budget.model;
    sum.benchmark = budget.benchmark;
    sum.method = budget.method;
    add_to(sum, budget);
  }
  std::vector<MethodBudget> list;
  for (auto& [key, sum] : sums) list.push_back(std::move(sum));
  return list;
}

std::vector<std::pair<const char*, std::string>> budget_record(const MethodBudget& budget) {
  return {{"cells", fmt::to_string(budget.cells)},
          {"scoring_seconds", known_text(budget.seconds)},
          {"tokens", fmt::to_string(budget.tokens)},
          {"thinking_tokens", fmt::to_string(budget.thinking)},
          {"answer_tokens", fmt::to_string(budget.answer)},
          {"discovery_seconds", known_text(budget.discovery)},
          {"trace_seconds", known_text(budget.traces)},
          {"trace_tokens", known_text(budget.trace_tokens)},
          {"training_seconds", known_text(budget.training)},
          {"discovery_questions", fmt::to_string(budget.discovery_questions)},
          {"labelled_discovery", known_text(budget.labelled_discovery)},
          {"labelled_choice", known_text(budget.labelled_choice)},
          {"labelled_training", known_text(budget.labelled_training)},
          {"labelled_questions", known_text(budget.labelled())},
          {"test_inputs_seen", fmt::to_string(budget.test_seen)},
          {"refused_before", known_text(budget.refused_before)},
          {"refused_after", known_text(budget.refused_after)}};
}

}  // namespace moelab::experiments
