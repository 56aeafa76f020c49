// One prompt under the original and the steered model, generated in one batch and shown in two columns.
#pragma once

#include <array>
#include <optional>

#include "experiments/first_difference.h"
#include "experiments/generate_arguments.h"
#include "experiments/side_by_side.h"
#include "experiments/signals.h"

namespace moelab::experiments {

struct Comparison {
  std::array<engine::Generation, 2> samples;  // the original's, the steered one's
  bool is_interrupted = false;                // then the samples are what there was
  std::optional<FirstDifference> difference;
  std::array<TokenPair, 2> chances = {};   // where they differ
  std::optional<steering::Effect> effect;  // of the plan; absent after an interruption
};

// Generates both side by side with equal random numbers. The trial must have a plan.
Comparison compare_generations(const GenerateTrial& trial, const StopSignals& signals);

// Both texts in columns, the first different token between >> and <<, and below them where it is, how likely
// it was, and what the plan did.
std::string comparison_text(const GenerateTrial& trial, const Comparison& comparison,
                            const SideBySideOptions& options);

// "[12 tokens, stopped by eos; 8 thinking, 3 answer, closed]"; "[interrupted after 12 tokens; ...]" without
// a sample that has ended. The part from the semicolon is for models that think.
std::string closing_line(const GenerateTrial& trial, const GeneratedText& text,
                         const engine::Generation* ended);

// "plan acted: 31 of 120 selections changed"
std::string effect_line(const steering::Effect& effect);

}  // namespace moelab::experiments
