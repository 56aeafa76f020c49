// What tests measured, for docs/models.md: scripts/parity names a file in MOELAB_MEASURED and reads it
// afterwards.
#pragma once

#include <cstdlib>
#include <string>

#include "core/base/files.h"
#include "core/base/json.h"

namespace moelab::testing {

// Adds `figures` (an object) to those of one checkpoint; does nothing without MOELAB_MEASURED.
inline void record_figures(const std::string& checkpoint, const Json& figures) {
  const char* const path = std::getenv("MOELAB_MEASURED");
  if (path == nullptr) return;
  Json all = std::filesystem::exists(path) ? read_json(path) : Json::object();
  all[checkpoint].update(figures);
  write_atomic(path, all.dump(1) + "\n");
}

}  // namespace moelab::testing
