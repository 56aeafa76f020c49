// Keys of cells, plans and samples: what can change a figure, and nothing else.
#pragma once

#include <string>

#include "core/store/rows.h"
#include "experiments/methods.h"

namespace moelab::experiments {

// What all cells of one model and domain share. A change of any member is another condition.
struct Condition {
  std::string model;            // digest of weights and config
  std::string tokenizer;        // its digest
  std::string prompt;           // template and version
  std::string questions;        // question_set_digest of the tested domain
  std::string dtype;            // of the computation
  bool exact = false;           // whether a sample's logits do not depend on its batch
  std::string generation = {};  // generation_key; empty where options are scored, and no part of the key then
};

std::string key_of(const Condition& condition);

// The cell's key: the condition, the plan's content and the label (method, draw, steered domain, n_steered,
// alpha, mode) under which the study asks for it. Two methods that choose the same experts have a cell each,
// so that every point of a grid is a row; their samples share the generation key, and the runner computes
// them once.
std::string cell_key(const std::string& condition, const PlannedCell& cell);

// The generation key of one sample: condition, plan's content, question with its rendered tokens, repeat.
std::string sample_key(const std::string& condition, const std::string& plan, const std::string& question,
                       int repeat = 0);

// The plan's row; its digest covers entries, mode and where they come from.
store::PlanRow plan_row(const PlannedCell& cell);

// The digest of a cell's plan content; equal for equal plans. "original" without a plan. A hint and another
// number of active experts are part of it: such a cell has the original's condition and samples of its own.
// Trained weights are their digest; plans by question what they were made of.
std::string plan_content(const PlannedCell& cell);

}  // namespace moelab::experiments
