// Transfer between benchmarks: the plans that one study chose, run on another study's questions with
// n_steered and alpha kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/comparison_row.h"
#include "experiments/methods.h"

namespace moelab::experiments {

// For each benchmark, domain and method that finds a domain's experts in the `source` study: the plan of the
// setting that was chosen most often for this model. Role `transfer`; the steered domain is written
// "benchmark/domain", so that it is no tested domain's own. Throws ConfigError when the study chose nothing
// for the model.
std::vector<PlannedCell> transfer_cells(store::Store& store, store::Id source, store::Id model);

// Their number for a model that is known by its name alone: of the newest one of that name in the study. 0
// where the study chose nothing for it.
std::int64_t count_transfer_cells(store::Store& store, store::Id source, const std::string& model);

// The comparisons of one domain's transfer cells with the original, on all of its questions: nothing was
// chosen on them.
std::vector<store::ComparisonRow> transfer_rows(store::Store& store, const DomainContext& context);

}  // namespace moelab::experiments
