#include "experiments/workspace.h"

#include <algorithm>

namespace moelab::experiments {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultDatabase = "results/moelab.db";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

std::optional<fs::path> repository_root() {
  std::error_code problem;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", problem).parent_path();
       !problem && folder.has_relative_path(); folder = folder.parent_path()) {
    if (is_there(folder / "configs" / "config.yaml")) return folder;
  }
  if (is_there(fs::path("configs") / "config.yaml")) return fs::current_path();
  return std::nullopt;
}

std::vector<fs::path> config_directories(const Arguments& arguments) {
  std::vector<fs::path> directories;
  const auto add = [&](const fs::path& directory) {
    const bool known = std::any_of(directories.begin(), directories.end(), [&](const fs::path& other) {
      std::error_code ignored;
      return fs::equivalent(other, directory, ignored);
    });
    if (is_there(directory) && !known) directories.push_back(directory);
  };
  if (arguments.has("--config-dir")) {
    const fs::path given = arguments.flag("--config-dir", "");
    if (!fs::is_directory(given)) throw ConfigError("--config-dir: '{}' is no folder", given.string());
    add(given);
  }
  add("configs");
  if (const auto root = repository_root()) add(*root / "configs");
  if (directories.empty()) {
    throw ConfigError(
        "there is no folder configs/ here nor beside the program: go to the repository, or name one with "
        "--config-dir");
  }
  return directories;
}

fs::path find_path(const fs::path& path) {
  if (path.is_absolute() || is_there(path)) return path;
  const auto root = repository_root();
  return root && is_there(*root / path) ? *root / path : path;
}

fs::path database_path(const std::optional<std::string>& given) {
  if (given) return *given;
  const auto root = repository_root();
  return is_there(kDefaultDatabase) || !root ? fs::path(kDefaultDatabase) : *root / kDefaultDatabase;
}

store::Store open_results(const Arguments& arguments, store::Mode mode) {
  const bool is_given = arguments.settings.contains("db");
  const fs::path path = database_path(is_given ? std::optional(arguments.setting("db")) : std::nullopt);
  if (mode == store::Mode::read_only && !is_there(path)) {
    throw ConfigError(
        "there is no database {}: run a study first (moelab run study=demo), or name one with db=PATH",
        path.string());
  }
  return store::Store::open(path, mode);
}

Flag config_dir_flag() { return {"--config-dir", "DIR", "a folder of configs that is searched first"}; }

KeySpec database_setting() { return {"db", "the results database (default: results/moelab.db)"}; }

}  // namespace moelab::experiments
