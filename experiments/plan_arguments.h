// A steering plan as words of a command line, for the verbs that try one out.
#pragma once

#include <vector>

#include "core/steering/plan.h"
#include "experiments/arguments.h"

namespace moelab::experiments {

// The settings plan, experts, alpha and mode.
std::vector<KeySpec> plan_settings();

bool has_plan(const Arguments& arguments);

// Throws ConfigError unless exactly one of plan=FILE and experts=LAYER:EXPERT,... is given, or when it is
// bad.
steering::Plan read_plan(const Arguments& arguments);

}  // namespace moelab::experiments
