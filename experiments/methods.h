// Methods: from rankings, a file or random draws to the cells of a study's grid.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/steering/plan.h"
#include "experiments/methods_plan.h"
#include "experiments/study_discovery.h"
#include "experiments/study_variants.h"

namespace moelab::experiments {

// A cell before it has a row: one model under one plan on one domain. The original has no plan.
struct PlannedCell {
  std::string role;  // original, aa, grid, null, other_domain
  std::string method;
  int n_steered = 0;
  double alpha = 1;  // of a file with values of its own: the one that all entries share, else the axis's
  std::string mode;  // "" where experts are forced and forbidden, whatever the mode
  int draw = 0;      // random draws count from 1
  std::string steered_domain;
  std::optional<steering::Plan> plan;
  std::optional<std::map<store::Id, steering::Plan>>
      by_question;               // then each question's; the others have none
  std::optional<store::Id> run;  // the discovery run that the plan comes from
  std::string run_key;           // its key, with the digest of the query that chose
  std::string error;             // why there is no plan for this model
  std::string note;              // of ChosenPlan
  Variant variant;               // what is changed beside the router, by methods without a plan
  std::string weights;           // digest of what training made of the model's weights; "" for its own
};

// All cells of one model and one tested domain but those of other domains' plans. A method whose plan cannot
// be made for this model (more experts wanted than there are, a file with a layer it lacks) gives cells with
// `error`.
std::vector<PlannedCell> plan_cells(const StudyConfig& study, const StudyFindings& findings,
                                    const std::string& domain, const model::ModelSpec& spec);

// The same cells without plans, all with `error`, and those of trained models: for a model that cannot be
// loaded. `with_training` false leaves the trained ones out, which need no plan.
std::vector<PlannedCell> unplanned_cells(const StudyConfig& study, const std::string& domain,
                                         const std::string& error, bool with_training = true);

// The plans (and hints) of every other compared domain at one setting, for the tested `domain`; only ranked
// methods and prompt choose by domain, others give none.
std::vector<PlannedCell> other_domain_cells(const MethodConfig& method, const Setting& setting,
                                            const StudyFindings& findings, const std::string& domain,
                                            const model::ModelSpec& spec);

// The null draws of the method `random`: the matched method's plans with every expert replaced by its draw,
// in the same operation and strength.
std::vector<PlannedCell> null_cells(const StudyConfig& study, const MethodConfig& method,
                                    const StudyFindings& findings, const std::string& domain,
                                    const model::ModelSpec& spec);

// The first n entries of the study's plan file; an entry's own value replaces alpha.
steering::Plan file_plan(const StudyConfig& study, const Setting& setting);

// A cell of the grid without its plan.
PlannedCell make_cell(const std::string& role, const MethodConfig& method, const Setting& setting);

// Fills in the plan that `make` gives for a cell of this method, or why there is none.
template <typename Make>
void attach_plan(PlannedCell& cell, const model::ModelSpec& spec, const Make& make) {
  try {
    ChosenPlan chosen = make();
    steering::validate(chosen.plan, spec);
    cell.plan = std::move(chosen.plan);
    cell.note = std::move(chosen.note);
  } catch (const Error& problem) {
    cell.error = problem.what();
  }
}

// A null draw: for each of `matched` in turn an expert of the same layer that is not among `matched` and not
// drawn yet, uniformly from the quarter (at least four) of them whose base selection rate is nearest; from
// all layers when the layer has none left. `rates` is flat [layers * experts]. Throws Error when no expert is
// left.
struct DrawOptions {
  std::uint64_t seed = 0;  // seed.draw
  std::string domain;
  int draw = 1;
};
std::vector<steering::ExpertId> draw_matched(std::span<const steering::ExpertId> matched,
                                             std::span<const double> rates, const model::ModelSpec& spec,
                                             const DrawOptions& options);

// The share of tokens that select each expert; flat [layers * experts].
std::vector<double> selection_rates(const discovery::RoutingCounts& counts, const model::ModelSpec& spec);

}  // namespace moelab::experiments
