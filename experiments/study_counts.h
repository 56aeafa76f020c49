// How many cells a study has on one model and domain, and what of them its search leaves out; before a model
// is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "experiments/study_splits.h"

namespace moelab::experiments {

struct CellCounts {
  std::int64_t originals = 0, grid = 0, nulls = 0;
  std::int64_t calibration = 0;  // planted experts, permuted labels and other domains' plans
  std::int64_t transfer = 0;     // of another study's plans
  std::int64_t total() const { return originals + grid + nulls + calibration + transfer; }
};

// What is counted.
struct CountedDomain {
  const StudyConfig* study = nullptr;
  const ModelConfig* model = nullptr;
  const StudyDomains* domains = nullptr;
  std::string name;           // the tested domain
  std::int64_t transfer = 0;  // cells that each tested domain gets from another study; count_transfer_cells
};

// Other domains' plans at the chosen settings come on top, where no calibration runs them all.
CellCounts count_cells(const CountedDomain& domain);

// Questions x settings that a halving of the grid and of each draw does not ask; 0 of other searches.
std::int64_t count_unasked(const StudyConfig& study, const std::string& domain, const DomainSplit& split);

// Throws ConfigError when a study has more cells than limits.cells allows.
void require_allowed(const StudyConfig& study, std::int64_t cells);

// What that says of a number of cells.
std::string above_limit_text(const StudyConfig& study, double cells);

}  // namespace moelab::experiments
