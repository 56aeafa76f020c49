// What a study's event log says of its trainings: figures, selected examples, alignment drift.
#pragma once

#include <string>

#include "core/engine/engine.h"
#include "core/store/store.h"
#include "experiments/sft_study.h"

namespace moelab::experiments {

// A training of a study.
struct NotedTraining {
  const SftJob* job = nullptr;
  const SftOutcome* outcome = nullptr;
  store::Id model = 0;
  std::string method;
};

// Puts the notes `training` and, where examples were selected, `selection`.
void note_training(store::Store& store, store::Id study, const NotedTraining& training);

// Puts the note `drift` unless the study has it: both models answer the probes, the original once for all
// trainings. `trained` is the engine of the trained model. Nothing where no probes are asked for.
void note_drift(store::Store& store, store::Id study, const NotedTraining& training,
                const engine::Engine& trained, const DriftConfig& drift);

// The same for people, in a line: the share of weights that are trained, and what was left out.
std::string training_line(const NotedTraining& training);

}  // namespace moelab::experiments
