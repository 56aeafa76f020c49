// The methods table: accuracy, gain, tests and nulls of every method by model and domain.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "experiments/method_budget.h"
#include "experiments/search_notes.h"
#include "experiments/study_notes.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

std::string with_interval(const std::string& figure, const std::string& lo, const std::string& hi) {
  if (lo == "-" || hi == "-") return figure;
  return fmt::format("{} [{}, {}]", figure, lo, hi);
}

std::string accuracy_text(const MethodRow& row) {
  if (row.is_small_gpqa) return right_count_text(row.accuracy, row.n * row.repeats);
  return with_interval(percent(row.accuracy), percent(row.accuracy_interval.lo),
                       percent(row.accuracy_interval.hi));
}

std::string gain_text(const MethodRow& row) {
  const std::string text =
      with_interval(points(row.gain), points(row.gain_interval.lo), points(row.gain_interval.hi));
  return row.is_significant() ? text + " *" : text;
}

std::string specificity_text(const MethodRow& row) {
  return with_interval(points(row.specificity), points(row.specificity_interval.lo),
                       points(row.specificity_interval.hi));
}

std::string dose_text(const MethodRow& row) {
  return std::isnan(row.dose) ? "-" : fmt::format("{:.2f}", row.dose);
}

std::string method_text(const MethodRow& row, bool is_null) {
  return is_null ? fmt::format("{} x {}", row.method, row.n_null) : row.method;
}

std::string chosen_text(const MethodRow& row, bool with_mode) {
  if (!row.chosen) return "-";
  const ChosenSettings& chosen = *row.chosen;
  std::string text = fmt::format("{} @ {}", chosen.n_steered, number_text(chosen.alpha));
  if (!std::isnan(chosen.share)) text += fmt::format(" ({:.0f} %)", 100 * chosen.share);
  return with_mode ? text + " " + chosen.mode : text;
}

// The draws of a null carry no test of their own.
bool is_null_line(const MethodRow& row) {
  return row.n_null > 0 && std::isnan(row.p) && row.method != "original";
}

std::string heading_text(store::Store& store, store::Id study, const MethodRow& row) {
  std::string text =
      fmt::format("{} / {}: n {}, chance {}", row.model, row.domain, row.n, percent(row.chance));
  if (row.repeats > 1) text += fmt::format(", {} samples each", row.repeats);
  if (row.is_small_gpqa) text += ", counts and no star for so few questions";
  if (!std::isnan(row.flip_noise)) text += fmt::format(", flip noise {}", percent(row.flip_noise));
  if (has_partial_cells(store, study, row.model, row.domain)) text += " (partial: a part of the questions)";
  return text;
}

void add_line(TextTable& table, const MethodRow& row, bool with_mode) {
  if (row.method == "original") {
    table.add({"  original", accuracy_text(row), "", "", "", "", "", "", "", "", "", ""});
    return;
  }
  const bool is_null = is_null_line(row);
  const std::string flips = is_null ? "-" : fmt::format("+{} / -{}", row.wrong_right, row.right_wrong);
  table.add({"  " + method_text(row, is_null), accuracy_text(row), gain_text(row), flips, p_text(row.p_holm),
             p_text(row.p_null), specificity_text(row), p_text(row.p_specific), row.reach(),
             chosen_text(row, with_mode), dose_text(row), percent(row.smallest_detectable)});
}

std::vector<std::string> protocol_notes(const std::vector<MethodRow>& rows) {
  const std::string& protocol = rows.front().protocol;
  if (protocol == "crossfit") {
    return {
        "Protocol crossfit: settings chosen on all folds but one, figures from that one; experts found on "
        "other questions."};
  }
  if (protocol == "holdout")
    return {"Protocol holdout: settings chosen on tuning questions, figures from test questions."};
  std::vector<std::string> notes = {
      "Protocol paper: settings chosen and reported on the same questions, so gains are biased upwards."};
  for (const MethodRow& row : rows) {
    if (std::isnan(row.null_best_of_grid)) continue;
    notes.push_back(
        fmt::format("  {} / {}: the best of the grid gains {} for {}, and {} for random experts (mean).",
                    row.model, row.domain, points(row.gain), row.method, points(row.null_best_of_grid)));
  }
  return notes;
}

// The tests over all domains, one a model, benchmark and method.
std::vector<std::string> label_notes(const std::vector<MethodRow>& rows) {
  std::vector<std::string> lines;
  for (const MethodRow& row : rows) {
    if (std::isnan(row.p_labels)) continue;
    const std::string line = fmt::format("  {} / {}, {}: plan labels permuted over all tested domains, p {}.",
                                         row.model, row.benchmark, row.method, p_text(row.p_labels));
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  return lines;
}

// What the model's top-k made plans of the grid do otherwise than their settings say.
std::vector<std::string> plan_notes(store::Store& store, const TableRequest& request) {
  std::map<store::Id, std::string> texts;
  for (const Json& note : notes(store, request.study, "plan"))
    texts[note.at("cell").get<store::Id>()] = note.at("note").get<std::string>();
  std::vector<std::string> lines;
  if (texts.empty()) return lines;
  for (const auto& [cell, role] : store.cells(request.study)) {
    const auto text = texts.find(cell.id);
    if (role != "grid" || text == texts.end()) continue;
    const std::string model = store.model(cell.model).name;
    if (is_wanted(request.models, model) && is_wanted(request.domains, cell.domain) &&
        is_wanted(request.methods, cell.method))
      lines.push_back(fmt::format("{} / {}: {} @ {}: {}.", model, cell.domain, cell.method, cell.n_steered,
                                  text->second));
  }
  return lines;
}

std::vector<std::string> footers(store::Store& store, const TableRequest& request,
                                 const std::vector<MethodRow>& rows, const std::set<std::string>& modes) {
  std::vector<std::string> lines = protocol_notes(rows);
  for (const std::string& line : search_lines(store, request.study)) lines.push_back(line);
  bool is_exact = true;
  for (const MethodRow& row : rows) is_exact = is_exact && row.is_exact;
  const std::string mode_list = fmt::format("{}", fmt::join(modes, ", "));
  lines.emplace_back(fmt::format("Evaluator {}; mode {}; exact: {}.", rows.front().evaluator,
                                 mode_list.empty() ? "-" : mode_list, is_exact ? "yes" : "no"));
  lines.emplace_back(
      "Accuracy in %, gain in points, [95 % interval; of random draws: smallest and largest]; flips: wrong "
      "to right / right to wrong.");
  const bool is_repeated =
      std::any_of(rows.begin(), rows.end(), [](const MethodRow& row) { return row.repeats > 1; });
  lines.emplace_back(fmt::format("p Holm: exact {}, adjusted over the study; p null: against random experts.",
                                 is_repeated ? "sign flips of the questions' changes" : "McNemar"));
  lines.emplace_back(
      "specific: gain minus the mean gain of other domains' plans here; p spec.: plan labels permuted within "
      "questions.");
  for (const std::string& line : label_notes(rows)) lines.push_back(line);
  lines.emplace_back(
      "chosen: n_steered @ alpha (share of the choices); dose: nats by which the plan moves a token's "
      "routing; detect: smallest gain found with 80 % power.");
  for (const std::string& line : plan_notes(store, request)) lines.push_back(line);
  lines.emplace_back(
      "*: p Holm < .05 and p null <= .05; reach: specific with p spec. <= .05, else general. " +
      cell_count_text(cell_counts(store, request.study)) + ".");
  return lines;
}

// A row's figures by the names of their columns; the first six are texts.
std::vector<std::pair<const char*, std::string>> record_of(const MethodRow& row) {
  const ChosenSettings chosen = row.chosen.value_or(ChosenSettings{});
  const bool has_choice = row.chosen.has_value();
  return {{"model", row.model},
          {"benchmark", row.benchmark},
          {"domain", row.domain},
          {"method", row.method},
          {"protocol", row.protocol},
          {"evaluator", row.evaluator},
          {"n", fmt::to_string(row.n)},
          {"accuracy", known_text(row.accuracy)},
          {"accuracy_lo", known_text(row.accuracy_interval.lo)},
          {"accuracy_hi", known_text(row.accuracy_interval.hi)},
          {"chance", known_text(row.chance)},
          {"gain", known_text(row.gain)},
          {"gain_lo", known_text(row.gain_interval.lo)},
          {"gain_hi", known_text(row.gain_interval.hi)},
          {"gain_range_lo", known_text(row.gain_range.lo)},
          {"gain_range_hi", known_text(row.gain_range.hi)},
          {"wrong_right", fmt::to_string(row.wrong_right)},
          {"right_wrong", fmt::to_string(row.right_wrong)},
          {"p", known_text(row.p)},
          {"p_holm", known_text(row.p_holm)},
          {"p_null", known_text(row.p_null)},
          {"n_null", fmt::to_string(row.n_null)},
          {"gain_other_domains", known_text(row.gain_other_domains)},
          {"specificity", known_text(row.specificity)},
          {"specificity_lo", known_text(row.specificity_interval.lo)},
          {"specificity_hi", known_text(row.specificity_interval.hi)},
          {"p_specific", known_text(row.p_specific)},
          {"p_labels", known_text(row.p_labels)},
          {"reach", row.reach()},
          {"n_steered", has_choice ? fmt::to_string(chosen.n_steered) : ""},
          {"alpha", has_choice ? known_text(chosen.alpha) : ""},
          {"mode", chosen.mode},
          {"chosen_share", known_text(chosen.share)},
          {"changed_share", known_text(row.changed_share)},
          {"dose", known_text(row.dose)},
          {"smallest_detectable", known_text(row.smallest_detectable)},
          {"flip_noise", known_text(row.flip_noise)},
          {"exact", row.is_exact ? "yes" : "no"}};
}

// The budget of a row; one without any cell where none are stored.
MethodBudget budget_of(const std::vector<MethodBudget>& budgets, const MethodRow& row) {
  for (const MethodBudget& budget : budgets)
    if (std::tie(budget.model, budget.benchmark, budget.domain, budget.method) ==
        std::tie(row.model, row.benchmark, row.domain, row.method))
      return budget;
  return {};
}

TextTable records(const std::vector<MethodRow>& rows, const std::vector<MethodBudget>& budgets) {
  TextTable table;
  for (const MethodRow& row : rows) {
    auto record = record_of(row);
    for (auto& figure : budget_record(budget_of(budgets, row))) record.push_back(std::move(figure));
    std::vector<std::string> cells;
    for (auto& [name, value] : record) {
      if (table.rows.empty()) table.columns.push_back({name, table.columns.size() < 6});
      cells.push_back(std::move(value));
    }
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace

TextTable methods_table(store::Store& store, const TableRequest& request, bool as_records) {
  const std::vector<MethodRow> rows = method_rows(store, request);
  if (as_records) return records(rows, method_budgets(store, request));
  std::set<std::string> modes;
  for (const MethodRow& row : rows) {
    if (row.chosen && !row.chosen->mode.empty()) modes.insert(row.chosen->mode);
  }
  TextTable table;
  table.title = fmt::format("Methods, study {}", store.study(request.study).name);
  table.columns = {{"method", true}, {"accuracy"}, {"gain"},        {"flips"},  {"p Holm"}, {"p null"},
                   {"specific"},     {"p spec."},  {"reach", true}, {"chosen"}, {"dose"},   {"detect"}};
  std::string group;
  for (const MethodRow& row : rows) {
    const std::string next = row.model + "\n" + row.benchmark + "\n" + row.domain;
    if (next != group) table.add_heading(heading_text(store, request.study, row));
    group = next;
    add_line(table, row, modes.size() > 1);
  }
  table.footers = footers(store, request, rows, modes);
  return table;
}

}  // namespace moelab::experiments
