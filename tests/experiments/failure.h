// Why cells of a study failed.
#pragma once

#include <fmt/format.h>

#include <string>

#include "core/store/store.h"

namespace moelab::testing {

// The only reason why cells failed; else the number of reasons.
inline std::string failure_of(store::Store& store) {
  const auto rows = store.query("SELECT DISTINCT error FROM cell WHERE status = 'failed'").rows;
  return rows.size() == 1 ? rows[0][0].value_or("") : fmt::format("{} reasons", rows.size());
}

}  // namespace moelab::testing
