#include "experiments/transfer.h"

#include <numeric>

#include "experiments/analyse.h"

namespace moelab::experiments {
namespace {

// As in modal_settings: plans that force and forbid have no mode, and any stands for it.
steering::Mode mode_of(const std::string& name) {
  return name.empty() ? steering::Mode{} : steering::parse_mode(name);
}

bool is_at(const store::CellRow& cell, const Setting& setting) {
  return cell.n_steered == setting.n_steered && cell.alpha == setting.alpha &&
         mode_of(cell.mode) == setting.mode;
}

PlannedCell as_transfer(store::Store& store, const store::CellRow& cell) {
  const store::PlanRow stored = store.plan(*cell.plan);
  PlannedCell planned;
  planned.role = "transfer";
  planned.method = cell.method;
  planned.n_steered = cell.n_steered;
  planned.alpha = cell.alpha;
  planned.mode = cell.mode;
  planned.steered_domain = cell.benchmark + "/" + cell.domain;
  planned.run = stored.run;
  planned.run_key = stored.digest;
  steering::Plan plan{mode_of(stored.mode), {}};
  for (const store::PlanEntryRow& entry : stored.entries)
    plan.entries.push_back(
        {entry.layer, entry.expert, steering::parse_operation(entry.operation), entry.value});
  planned.plan = std::move(plan);
  return planned;
}

// The cells of the settings that a study chose most often for a model.
std::vector<store::CellRow> chosen_cells(store::Store& store, store::Id source, store::Id model) {
  std::vector<store::CellRow> chosen_rows;
  for (const DomainCells& cells : cells_by_domain(store, source)) {
    if (cells.model != model) continue;
    const auto settings = modal_settings(store, source, cells);
    for (const auto& [cell, role] : cells.cells) {
      const auto chosen = settings.find(cell.method);
      if (role != "grid" || !cell.plan || chosen == settings.end() || !is_at(cell, chosen->second)) continue;
      // Plans by question say nothing of another benchmark's questions.
      if (store.plan(*cell.plan).by_question.empty()) chosen_rows.push_back(cell);
    }
  }
  return chosen_rows;
}

}  // namespace

std::vector<PlannedCell> transfer_cells(store::Store& store, store::Id source, store::Id model) {
  std::vector<PlannedCell> planned;
  for (const store::CellRow& cell : chosen_cells(store, source, model))
    planned.push_back(as_transfer(store, cell));
  if (planned.empty())
    throw ConfigError(
        "transfer.study: the study '{}' has chosen no plan for the model {} that can be taken over (plans by "
        "question cannot); "
        "run it on that model first",
        store.study(source).name, store.model(model).name);
  return planned;
}

std::int64_t count_transfer_cells(store::Store& store, store::Id source, const std::string& model) {
  const auto newest = store.database().find<store::Id>(
      "SELECT max(m.id) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN model AS m ON m.id = "
      "c.model "
      "WHERE x.study = ?1 AND m.name = ?2 HAVING count(*) > 0",
      source, model);
  return newest ? std::ssize(chosen_cells(store, source, *newest)) : 0;
}

std::vector<store::ComparisonRow> transfer_rows(store::Store& store, const DomainContext& context) {
  const DomainAnswers& domain = *context.domain;
  std::vector<std::size_t> all(domain.table.questions.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<store::ComparisonRow> rows;
  for (const auto& [cell, role] : domain.cells->cells) {
    if (role != "transfer") continue;
    const Answers answers = answers_of(store, cell.id, domain.table, domain.evaluator);
    if (!answers.empty()) rows.push_back(plan_row_of(store, context, cell, pair_on(domain, answers, all)));
  }
  return rows;
}

}  // namespace moelab::experiments
