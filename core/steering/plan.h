// A steering plan: which experts the router treats differently, and how.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/spec.h"

namespace moelab::steering {

// What is done to a (layer, expert). Persistent in the database by name.
enum class Operation {
  scale,   // multiply by `value` (alpha), at the point that the plan's mode names
  force,   // always select (SteerMoE's activation)
  forbid,  // never select (SteerMoE's deactivation, also pruning)
};

// Where `scale` acts. Every table names it. Persistent in the database by name.
enum class Mode {
  logit_shift,                 // ln(alpha) added to the router logits before the score function
  logit_shift_selection_only,  // as logit_shift, but the weights come from the unshifted logits
  prob_scale_renorm,           // scores of all experts scaled, brought back to their total, then top-k
  weight_scale_renorm,         // weights after top-k scaled, the token's total weight kept (DSMoE Eq. 11)
  weight_scale,                // weights after top-k scaled (RICE's beta)
};

struct PlanEntry {
  std::int64_t layer = 0;
  std::int64_t expert = 0;
  Operation operation = Operation::scale;
  double value = 1.0;  // alpha for scale; unused otherwise
  bool operator==(const PlanEntry&) const = default;
};

struct Plan {
  Mode mode = Mode::logit_shift;
  std::vector<PlanEntry> entries;  // empty: the original model
};

std::string_view name_of(Operation operation);
std::string_view name_of(Mode mode);
// Throw ConfigError listing the valid names, nearest first.
Operation parse_operation(std::string_view name);
Mode parse_mode(std::string_view name);

// A plan that scales every listed expert by alpha.
struct ExpertId {
  std::int64_t layer = 0;
  std::int64_t expert = 0;
  auto operator<=>(const ExpertId&) const = default;
};
Plan scale_plan(std::span<const ExpertId> experts, double alpha, Mode mode);

// Throws ConfigError naming the entry: a layer or expert that the model does not have, a dense layer, a value
// that is not positive and finite, the same expert twice, more forced experts than top-k, fewer allowed ones
// than top-k.
void validate(const Plan& plan, const model::ModelSpec& spec);

// SHA-256 over mode and entries in (layer, expert) order; the same for equal plans however they were listed.
std::string digest(const Plan& plan);

// Reads a CSV with the columns layer, expert, operation, value (a header line names them; operation and value
// may be left out: scale by `default_alpha`). Throws ConfigError naming file and line.
Plan read_plan_csv(const std::filesystem::path& path, Mode mode, double default_alpha);

}  // namespace moelab::steering
