// Finds the names nearest to a mistyped one, for error messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moelab {

// Levenshtein distance in bytes: insertions, deletions and substitutions cost 1 each.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The candidates, the nearest to `name` first; equals keep their order.
std::vector<std::string> nearest_first(std::string_view name, std::vector<std::string> candidates);

}  // namespace moelab
