#include "experiments/line_cells.h"

namespace moelab::experiments {

namespace {

bool is_chosen_cell(const store::CellRow& cell, const store::ComparisonRow& row,
                    const ChosenSettings& chosen) {
  return cell.model == row.model && cell.benchmark == row.benchmark && cell.domain == row.domain &&
         cell.method == row.method && cell.draw == row.draw && cell.steered_domain == row.steered_domain &&
         cell.n_steered == chosen.n_steered && cell.alpha == chosen.alpha && cell.mode == chosen.mode;
}

}  // namespace

LineName name_of_line(const MethodRow& row) { return {row.model, row.benchmark, row.domain, row.method}; }

DomainName domain_of_line(const LineName& line) {
  return {std::get<0>(line), std::get<1>(line), std::get<2>(line)};
}

std::map<LineName, std::vector<store::Id>> cells_of_lines(store::Store& store, const TableRequest& request,
                                                          const std::string& evaluator) {
  std::map<LineName, std::vector<store::Id>> cells;
  const auto all = store.cells(request.study);
  for (const auto& [cell, role] : all)
    if (role == "original")
      cells[{store.model(cell.model).name, cell.benchmark, cell.domain, "original"}].push_back(cell.id);
  for (const store::ComparisonRow& row : store.comparisons(request.study)) {
    if (row.evaluator != evaluator || row.method == "aa") continue;
    const ChosenSettings chosen = chosen_settings(row).value_or(ChosenSettings{});
    for (const auto& [cell, role] : all)
      if ((role == "grid" || role == "null") && is_chosen_cell(cell, row, chosen))
        cells[{store.model(cell.model).name, cell.benchmark, cell.domain, cell.method}].push_back(cell.id);
  }
  return cells;
}

std::map<DomainName, Questions> common_questions(store::Store& store,
                                                 const std::map<LineName, std::vector<store::Id>>& lines) {
  std::map<DomainName, Questions> common;
  for (const auto& [line, cells] : lines)
    for (const store::Id cell : cells) {
      Questions answered;
      for (const store::SampleKey& key : store.answered(cell)) answered.insert(key.question);
      const auto [known, is_first] = common.try_emplace(domain_of_line(line), answered);
      if (!is_first)
        std::erase_if(known->second, [&](store::Id question) { return !answered.contains(question); });
    }
  return common;
}

}  // namespace moelab::experiments
