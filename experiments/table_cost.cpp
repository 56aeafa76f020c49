// The cost table: what each method took, in labelled questions, test inputs, time and tokens.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "experiments/method_budget.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

std::string seconds_text(double seconds) {
  return std::isnan(seconds) ? "-" : fmt::format("{:.1f}", seconds);
}

std::string refusals_text(const MethodBudget& row) {
  return row.probed == 0 ? "-" : percent(row.refused_before) + " -> " + percent(row.refused_after);
}

TextTable cost_records(const std::vector<MethodBudget>& rows) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "method"}) table.columns.push_back({name, true});
  for (const auto& [name, value] : budget_record(rows.front())) table.columns.push_back({name});
  for (const MethodBudget& row : rows) {
    std::vector<std::string> cells = {row.model, row.benchmark, row.method};
    for (auto& [name, value] : budget_record(row)) cells.push_back(std::move(value));
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace

TextTable cost_table(store::Store& store, const TableRequest& request, bool as_records) {
  std::vector<MethodBudget> rows = summed_over_domains(method_budgets(store, request));
  if (rows.empty()) throw ConfigError("the study has no cells for these models, domains and methods");
  std::stable_sort(rows.begin(), rows.end(), [](const MethodBudget& a, const MethodBudget& b) {
    return std::make_tuple(a.model, a.benchmark, method_place(a.method)) <
           std::make_tuple(b.model, b.benchmark, method_place(b.method));
  });
  if (as_records) return cost_records(rows);
  TextTable table;
  table.title = fmt::format("Costs, study {}", store.study(request.study).name);
  table.columns = {{"method", true}, {"labelled"},   {"test seen"}, {"found on"}, {"cells"},
                   {"scoring s"},    {"tokens"},     {"thinking"},  {"answer"},   {"discovery s"},
                   {"traces s"},     {"training s"}, {"refused"}};
  std::string group;
  for (const MethodBudget& row : rows) {
    const std::string next = row.model + " / " + row.benchmark;
    if (next != group) table.add_heading(next);
    group = next;
    table.add({"  " + row.method, fmt::format("{:.0f}", row.labelled()), fmt::to_string(row.test_seen),
               fmt::to_string(row.discovery_questions), fmt::to_string(row.cells), seconds_text(row.seconds),
               fmt::to_string(row.tokens), fmt::to_string(row.thinking), fmt::to_string(row.answer),
               seconds_text(row.discovery), seconds_text(row.traces), seconds_text(row.training),
               refusals_text(row)});
  }
  table.footers = {
      "All cells of a method's grid (random: of all draws), summed over domains; plans that run side by side "
      "share the time evenly.",
      "labelled: questions whose right answers discovery, a choice of settings (mean over choices) or a "
      "fine-tuning reads.",
      "test seen: test questions that were inputs of discovery; found on: questions of its runs.",
      "traces: answers that a method of kind rice has the model write and then reads, to discovery questions "
      "or, "
      "per sample, to the test questions.",
      "tokens: token rows through the model; thinking, answer: tokens written.",
      "refused: harmful requests that the model refuses before and after a fine-tuning, in per cent, mean "
      "over "
      "domains; moelab table drift has each with its interval."};
  return table;
}

}  // namespace moelab::experiments
