// Words an error message about a mistyped name: the nearest one, and a list of names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/nearest.h"

namespace moelab::config {

// "; did you mean 'x'?" with the nearest candidate, or "" when there is none.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// "a, b, c", cut after `limit` names with the number that was left out.
std::string join_names(const std::vector<std::string>& names, std::size_t limit = 12);

}  // namespace moelab::config
