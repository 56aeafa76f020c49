// Runs the cells of one model and domain by successive halving.
#pragma once

#include <cstdint>
#include <vector>

#include "experiments/cell_runner.h"

namespace moelab::experiments {

// Asks each method and null draw rung by rung, all that are at one number of questions side by side, and runs
// the winners, the original and cells without a choice on all questions. What is stored already is not run
// again, so that a call goes on where another stopped. `study`: the row of one that halves. Returns how many
// cells did not win. Throws Interrupted, and Error when a rung leaves no answers.
std::int64_t run_halving(CellRunner& cells, store::Store& store, store::Id study, const ModelSession& session,
                         const Target& target, const std::vector<PlannedCell>& planned);

}  // namespace moelab::experiments
