// Methods that change the model's input or size in the place of its router: a hint before the question, and
// another number of active experts.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// What a cell changes beside the router.
struct Variant {
  std::string hint;        // before each question
  std::int64_t top_k = 0;  // active experts a layer; 0: the model's own
  auto operator<=>(const Variant&) const = default;
};

// The hint of a method of kind prompt: its text with the domain's name in the place of {domain}.
std::string hint_of(const MethodConfig& method, const std::string& domain);

// All hints that a study may put before a question, no hint among them: its own domain's, and those of the
// other `domains` as the control.
std::vector<std::string> hints_of(const StudyConfig& study, const std::vector<std::string>& domains);

// Throws ConfigError when the model cannot select that many experts: none, more than a layer (or the groups
// that its router keeps) has.
void require_top_k(const model::ModelSpec& spec, std::int64_t top_k);

// The same weights with another number of active experts; weights are shared, not copied. Throws as
// require_top_k.
engine::Engine with_top_k(const engine::Engine& engine, std::int64_t top_k);

}  // namespace moelab::experiments
