// From a ranking of experts to a plan: what each kind of method does to the experts that it chooses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/discovery/expert_score.h"
#include "core/steering/plan.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// One point of a method's grid.
struct Setting {
  std::int64_t n_steered = 0;
  double alpha = 1;
  steering::Mode mode = steering::Mode::logit_shift;
  bool operator==(const Setting&) const = default;
};

// Whether the method ranks each domain's experts by a score or query of its own.
bool is_ranked(MethodKind kind);

// Whether it makes a plan of each domain's own ranking: ranked methods but those with plans by question.
bool has_domain_plans(const MethodConfig& method);

// Whether the method needs what discovery finds: ranked methods, and nulls that are matched to them.
bool reads_discovery(MethodKind kind);

// Whether the method's settings come from axes.n_steered and its neighbours; the others have keys of their
// own.
bool sweeps_axes(MethodKind kind);

// Whether alpha and the mode act in its plans; the others force and forbid.
bool is_scaling(MethodKind kind);

// The points of a method's grid: n_steered x alpha x mode, of methods that force and forbid n_steered alone.
// For steermoe n_steered counts forced and forbidden experts together; rice has l x beta of its own; of kind
// top_k n_steered is the number of active experts; prompt has one point. Empty for the original and random.
std::vector<Setting> grid_of(const StudyConfig& study, const MethodConfig& method);

// Their number, without making them.
double count_grid(const StudyConfig& study, const MethodConfig& method);

// Those that the study runs: all, or of search random a draw in the grid's order. A setting's place in the
// draw depends on the seed and itself alone, so that methods and domains with one grid share their draw, and
// a larger draw only adds.
std::vector<Setting> settings_of(const StudyConfig& study, const MethodConfig& method);

double count_settings(const StudyConfig& study, const MethodConfig& method);

struct ChosenPlan {
  steering::Plan plan;
  std::string note;  // what the model's top-k made the plan do otherwise than the setting says; often empty
};

// The plan of a ranked method, or of kind bottom. SteerMoE's forced experts beyond a layer's top-k, and
// forbidden ones that would leave a layer fewer than top-k, are dropped and the note says how many. Of kind
// only, a layer with fewer than top-k chosen experts keeps the best-ranked of its others, and the note says
// how many. Throws ConfigError when the ranking has too few experts.
ChosenPlan plan_of(const MethodConfig& method, std::span<const discovery::RankedExpert> ranking,
                   const Setting& setting, const model::ModelSpec& spec);

}  // namespace moelab::experiments
