// One model on one domain of one benchmark, and the rows of its cells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/store/rows.h"
#include "experiments/methods.h"

namespace moelab::experiments {

struct Target {
  const StoredBenchmark* stored = nullptr;
  std::string domain;
  store::Id model = 0;
  std::vector<std::size_t> places = {};  // of the domain's questions; empty: all that are scored
};

// Samples of a cell on all of the domain's scored questions, whatever the study's limit.
std::int64_t wanted_samples(const StoredBenchmark& stored, const std::string& domain);

// The row of a planned cell, pending; failed with its error when it has no plan.
store::CellRow cell_row(const Target& target, const std::string& condition, const PlannedCell& cell);

}  // namespace moelab::experiments
