// Two texts in columns beside each other, wrapped to a width.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "experiments/terminal.h"

namespace moelab::experiments {

// Lines of at most `width` columns (at least 2), broken at spaces where there are any, which a break
// swallows; line feeds break too, a tab is four spaces. Characters stay whole, and those without a width stay
// with the one before. Neighbours of one look are one part.
std::vector<std::vector<TextPart>> wrap_parts(std::span<const TextPart> parts, std::size_t width);

struct SideBySideOptions {
  std::size_t width = 80;  // columns of both with " | " between them
  bool styles = false;     // write escape sequences
};

// Both texts, a line of each a line. Control characters are made visible.
std::string side_by_side(std::span<const TextPart> left, std::span<const TextPart> right,
                         const SideBySideOptions& options = {});

}  // namespace moelab::experiments
