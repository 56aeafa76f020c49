// A steering plan as words of a command line, for the verbs that try one out.
#pragma once

#include <optional>
#include <vector>

#include "core/steering/plan.h"
#include "experiments/arguments.h"

namespace moelab::experiments {

// The settings plan, experts, alpha and mode.
std::vector<KeySpec> plan_settings();

// --plan FILE, which means plan=FILE; for verbs that take it.
Flag plan_flag();

// Throws ConfigError unless exactly one of plan=FILE (or --plan FILE) and experts=LAYER:EXPERT,... is given,
// or when it is bad.
steering::Plan read_plan(const Arguments& arguments);

// The same, or nothing where no plan is given; then alpha and mode are errors, because they would do nothing.
std::optional<steering::Plan> read_optional_plan(const Arguments& arguments);

}  // namespace moelab::experiments
