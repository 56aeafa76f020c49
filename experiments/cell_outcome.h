// What a chunk of samples changes in its cells' rows: status, counts and what steering did.
#pragma once

#include <cstdint>
#include <string>

#include "core/store/store.h"
#include "experiments/score_cells.h"

namespace moelab::experiments {

// What a chunk adds to one cell.
struct Addition {
  std::string provenance;
  double seconds = 0;
  std::int64_t tokens = 0;
};

// Stores the cell's outcome. The status follows from what is stored: done with all samples that are wanted
// (inert when no selection and no weight changed), partial with fewer.
void update_outcome(const ScoreSetup& setup, const CellTask& task, const Addition& addition,
                    store::Store& store);

// Marks the cell failed with the text; its samples stay.
void mark_failed(const ScoreSetup& setup, store::Id cell, const std::string& error, store::Store& store);

// The effect of one question's plan on a cell whose plans differ by question: the MoE layers that this plan
// leaves alone have its tokens too, unchanged, so that a layer's means are over all steered questions.
steering::Effect on_all_layers(steering::Effect effect, const model::ModelSpec& spec);

// Adds what a plan did in one chunk to the cell's counts.
void add_effects(store::Id cell, const steering::Effect& effect, store::Store& store);

}  // namespace moelab::experiments
