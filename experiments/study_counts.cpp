#include "experiments/study_counts.h"

#include <map>
#include <utility>

#include "experiments/calibration_cells.h"
#include "experiments/halving.h"
#include "experiments/methods.h"

namespace moelab::experiments {

CellCounts count_cells(const CountedDomain& domain) {
  CellCounts counts;
  for (const PlannedCell& cell : unplanned_cells(*domain.study, domain.name, "")) {
    if (cell.role == "original" || cell.role == "aa")
      ++counts.originals;
    else
      ++(cell.role == "null" ? counts.nulls : counts.grid);
  }
  counts.calibration = static_cast<std::int64_t>(
      count_calibration_cells(*domain.study, *domain.model, *domain.domains, domain.name));
  counts.transfer = domain.transfer;
  return counts;
}

std::int64_t count_unasked(const StudyConfig& study, const std::string& domain, const DomainSplit& split) {
  if (!study.search.is_halving()) return 0;
  std::map<std::pair<std::string, int>, std::size_t> settings;
  for (const PlannedCell& cell : unplanned_cells(study, domain, ""))
    if (cell.role == "grid" || cell.role == "null") ++settings[{cell.method, cell.draw}];
  const std::size_t tuning = split.tuning.size(), reported = split.scored.size() - tuning;
  std::size_t unasked = 0;
  for (const auto& [name, count] : settings) {
    const auto rungs = rung_sizes(count, tuning, {study.search.eta, study.search.rungs});
    unasked += count * tuning - asked_answers(rungs) + (count - 1) * reported;
  }
  return static_cast<std::int64_t>(unasked);
}

std::string above_limit_text(const StudyConfig& study, double cells) {
  return fmt::format(
      "the study has at least {:.0f} cells, and {} are allowed; if you mean it, add limits.cells={:.0f}",
      cells, study.limits.cells, cells);
}

void require_allowed(const StudyConfig& study, std::int64_t cells) {
  if (cells > study.limits.cells)
    throw ConfigError("limits.cells: {}", above_limit_text(study, static_cast<double>(cells)));
}

}  // namespace moelab::experiments
