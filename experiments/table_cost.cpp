// The cost table: what each method took, in time, tokens and questions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "experiments/study_notes.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

// Sums over the domains of one model, benchmark and method.
struct CostRow {
  std::string model, benchmark, method;
  std::int64_t cells = 0, tokens = 0, thinking = 0, answer = 0;
  double seconds = 0, discovery = 0, training = kUnknown;
  std::int64_t discovery_questions = 0, seen = 0;
  double labelled = kUnknown;
};

// The grid's cells, the original's and the null draws'. Equal plans are run once, and their time is shared.
std::vector<CostRow> scoring_costs(store::Store& store, const TableRequest& request) {
  std::vector<CostRow> rows;
  store::Statement row = store.database().prepare(
      "SELECT m.name, c.benchmark, c.method, count(*), sum(c.tokens), sum(c.seconds), "
      "sum((SELECT coalesce(sum(s.n_think), 0) FROM sample AS s WHERE s.cell = c.id)), "
      "sum((SELECT coalesce(sum(s.n_answer), 0) FROM sample AS s WHERE s.cell = c.id)) "
      "FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN model AS m ON m.id = c.model "
      "WHERE x.study = ?1 AND x.role IN ('original', 'grid', 'null') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
  row.bind(request.study);
  while (row.step()) {
    CostRow cost;
    cost.model = row.get<std::string>(0);
    cost.benchmark = row.get<std::string>(1);
    cost.method = row.get<std::string>(2);
    if (!is_wanted(request.models, cost.model) || !is_wanted(request.methods, cost.method)) continue;
    cost.cells = row.get<std::int64_t>(3);
    cost.tokens = row.get<std::int64_t>(4);
    cost.seconds = row.get<double>(5);
    cost.thinking = row.get<std::int64_t>(6);
    cost.answer = row.get<std::int64_t>(7);
    rows.push_back(std::move(cost));
  }
  return rows;
}

// The discovery runs behind the method's plans, and how many of their questions the study reports on.
void add_discovery(store::Store& store, store::Id study, CostRow& cost) {
  store::Statement row = store.database().prepare(
      "WITH runs AS (SELECT DISTINCT p.run AS id FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
      "JOIN plan AS p ON p.id = c.plan JOIN model AS m ON m.id = c.model "
      "WHERE x.study = ?1 AND m.name = ?2 AND c.benchmark = ?3 AND c.method = ?4 AND p.run IS NOT NULL) "
      "SELECT coalesce(sum(r.seconds), 0), coalesce(sum(r.n_questions), 0), "
      "(SELECT count(DISTINCT n.question) FROM routing_count AS n JOIN split AS y ON y.question = n.question "
      " WHERE n.run IN (SELECT id FROM runs) AND y.study = ?1 AND y.role <> 'discovery') "
      "FROM discovery_run AS r WHERE r.id IN (SELECT id FROM runs)");
  row.bind(study, cost.model, cost.benchmark, cost.method);
  if (!row.step()) return;
  cost.discovery = row.get<double>(0);
  cost.discovery_questions = row.get<std::int64_t>(1);
  cost.seen = row.get<std::int64_t>(2);
}

// Questions that one choice reads the right answers of, mean over choices, summed over domains.
void add_labels(store::Store& store, store::Id study, CostRow& cost) {
  cost.labelled =
      store.database()
          .find<double>(
              "SELECT sum(n) FROM (SELECT avg(json_extract(x.candidates, '$[0].n')) AS n FROM selection "
              "AS x JOIN model AS m ON m.id = x.model WHERE x.study = ?1 AND m.name = ?2 AND "
              "x.benchmark = ?3 AND x.method = ?4 GROUP BY x.domain)",
              study, cost.model, cost.benchmark, cost.method)
          .value_or(kUnknown);
}

// The fine-tuning runs behind the method's cells: their time, and the questions whose answers they learnt.
void add_training(store::Store& store, store::Id study, CostRow& cost) {
  std::map<store::Id, std::int64_t> labelled;  // by run: one that was gone on with has several notes
  for (const Json& note : notes(store, study, "training")) {
    const bool is_own = store.model(note.at("model").get<store::Id>()).name == cost.model &&
                        note.at("benchmark") == cost.benchmark && note.at("method") == cost.method;
    if (is_own) labelled[note.at("run").get<store::Id>()] = note.at("labelled_questions").get<std::int64_t>();
  }
  if (labelled.empty()) return;
  cost.training = cost.labelled = 0;
  for (const auto& [run, questions] : labelled) {
    cost.labelled += static_cast<double>(questions);
    cost.training += store.database()
                         .find<double>("SELECT max(seconds) FROM training_step WHERE run = ?1", run)
                         .value_or(0);
  }
}

std::string seconds_text(double seconds) {
  return std::isnan(seconds) ? "-" : fmt::format("{:.1f}", seconds);
}

std::string count_text(double count) { return std::isnan(count) ? "-" : fmt::format("{:.0f}", count); }

TextTable cost_records(const std::vector<CostRow>& rows) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "method"}) table.columns.push_back({name, true});
  for (const char* name :
       {"cells", "scoring_seconds", "tokens", "thinking_tokens", "answer_tokens", "discovery_seconds",
        "training_seconds", "discovery_questions", "labelled_questions", "test_inputs_seen"})
    table.columns.push_back({name});
  const auto real = [](double value) { return std::isnan(value) ? std::string() : number_text(value); };
  for (const CostRow& row : rows)
    table.add({row.model, row.benchmark, row.method, fmt::to_string(row.cells), real(row.seconds),
               fmt::to_string(row.tokens), fmt::to_string(row.thinking), fmt::to_string(row.answer),
               real(row.discovery), real(row.training), fmt::to_string(row.discovery_questions),
               real(row.labelled), fmt::to_string(row.seen)});
  return table;
}

}  // namespace

TextTable cost_table(store::Store& store, const TableRequest& request, bool as_records) {
  std::vector<CostRow> rows = scoring_costs(store, request);
  if (rows.empty()) throw ConfigError("the study has no cells for these models and methods");
  for (CostRow& row : rows) {
    add_discovery(store, request.study, row);
    add_labels(store, request.study, row);
    add_training(store, request.study, row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const CostRow& a, const CostRow& b) {
    return std::make_tuple(a.model, a.benchmark, method_place(a.method)) <
           std::make_tuple(b.model, b.benchmark, method_place(b.method));
  });
  if (as_records) return cost_records(rows);
  TextTable table;
  table.title = fmt::format("Costs, study {}", store.study(request.study).name);
  table.columns = {{"method", true}, {"cells"},      {"scoring s"}, {"tokens"},   {"thinking"}, {"answer"},
                   {"discovery s"},  {"training s"}, {"found on"},  {"labelled"}, {"test seen"}};
  std::string group;
  for (const CostRow& row : rows) {
    const std::string next = row.model + " / " + row.benchmark;
    if (next != group) table.add_heading(next);
    group = next;
    table.add({"  " + row.method, fmt::to_string(row.cells), seconds_text(row.seconds),
               fmt::to_string(row.tokens), fmt::to_string(row.thinking), fmt::to_string(row.answer),
               seconds_text(row.discovery), seconds_text(row.training),
               fmt::to_string(row.discovery_questions), count_text(row.labelled), fmt::to_string(row.seen)});
  }
  table.footers = {
      "All cells of a method's grid (random: of all draws), summed over domains; plans that run side by side "
      "share the time evenly.",
      "tokens: token rows through the model; thinking, answer: tokens written; found on: questions of the "
      "discovery "
      "runs behind the plans; traces of kind rice are not counted.",
      "labelled: questions whose right answers a choice of settings or a fine-tuning reads; test seen: "
      "questions that are "
      "reported on "
      "and were inputs of discovery."};
  return table;
}

}  // namespace moelab::experiments
