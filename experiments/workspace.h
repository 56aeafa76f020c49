// Where things lie: the repository that the program belongs to, its configs, and the results database.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/store/store.h"
#include "experiments/arguments.h"

namespace moelab::experiments {

// The nearest folder above the program file that has configs/config.yaml, else the current folder if that has
// one.
std::optional<std::filesystem::path> repository_root();

// The folders of configs in the order in which they are searched: --config-dir (which must exist), the
// current folder's configs/, the repository's. Throws ConfigError when there is none at all.
std::vector<std::filesystem::path> config_directories(const Arguments& arguments);

// A path as the user wrote it, if it exists from the current folder, else from the repository's root, else as
// written.
std::filesystem::path find_path(const std::filesystem::path& path);

// The results database: db= as written; without it results/moelab.db, of the current folder or else the
// repository's.
std::filesystem::path database_path(const std::optional<std::string>& given);

// Opens the database that the key db= names, or the default one.
store::Store open_results(const Arguments& arguments, store::Mode mode = store::Mode::read_only);

// The flag --config-dir, for every verb that reads configs.
Flag config_dir_flag();

// The key db=, for every verb that reads results.
KeySpec database_setting();

}  // namespace moelab::experiments
