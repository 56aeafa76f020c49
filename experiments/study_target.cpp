#include "experiments/study_target.h"

#include "experiments/cell_keys.h"

namespace moelab::experiments {

std::int64_t wanted_samples(const StoredBenchmark& stored, const std::string& domain) {
  return stored.splits.at(domain).unlimited * stored.benchmark.config.repeats();
}

store::CellRow cell_row(const Target& target, const std::string& condition, const PlannedCell& cell) {
  store::CellRow row;
  row.key = cell_key(condition, cell);
  row.condition = condition;
  row.model = target.model;
  row.benchmark = target.stored->benchmark.config.name;
  row.domain = target.domain;
  row.method = cell.method;
  row.n_steered = cell.n_steered;
  row.alpha = cell.alpha;
  row.mode = cell.mode;
  row.draw = cell.draw;
  row.steered_domain = cell.steered_domain;
  row.error = cell.error;
  row.status = cell.error.empty() ? "pending" : "failed";
  row.n_samples = cell.error.empty() ? wanted_samples(*target.stored, target.domain) : 0;
  return row;
}

}  // namespace moelab::experiments
