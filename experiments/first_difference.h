// Where the original's and the steered model's tokens part, and how likely each held both tokens there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/engine/engine.h"

namespace moelab::experiments {

struct FirstDifference {
  std::size_t position = 0;  // in both samples
  std::int32_t original = 0, steered = 0;
};

// Nothing when one is the other's beginning.
std::optional<FirstDifference> first_difference(std::span<const std::int32_t> original,
                                                std::span<const std::int32_t> steered);

// Probabilities of the two tokens (original's, steered's) under one model.
using TokenPair = std::array<double, 2>;

// Softmax of the logits after `read` (prompt and common tokens), before temperature, filters and penalty;
// [0]: under the original, [1]: under the plan. Reads the tokens once more, in pieces.
std::array<TokenPair, 2> chances_at(const engine::Engine& engine, const steering::Plan& plan,
                                    std::span<const std::int32_t> read, const FirstDifference& difference);

}  // namespace moelab::experiments
