// What a study's search ran of its grids, for the event log and for the foot of a table.
#pragma once

#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// Notes of kind `search`: for each method how many settings of its grid were drawn, or, of a study that
// halves and has its selections, how many answers of settings were asked and how many the whole grid would
// take, and which methods are left without a winner.
void put_search_notes(store::Store& store, store::Id id, const StudyConfig& study);

// The notes of a random search and the stored choices of a halving as lines; none of a study that ran its
// whole grid.
std::vector<std::string> search_lines(store::Store& store, store::Id study);

}  // namespace moelab::experiments
