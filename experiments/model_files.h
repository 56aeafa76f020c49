// Which files of a published model a folder has, and which it lacks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace moelab::experiments {

struct ModelFiles {
  std::vector<std::string> present, missing;    // by name; of those that moelab reads
  std::vector<std::string> optional_missing;    // what some models have and can do without
  std::int64_t shards = 0, shards_present = 0;  // files of weights, as the index names them
  bool has_all_weights() const { return shards > 0 && shards == shards_present; }
};

// Looks into a model's folder. Throws FileError when an index of shards cannot be read.
ModelFiles find_files(const std::filesystem::path& folder);

}  // namespace moelab::experiments
