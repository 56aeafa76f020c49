#include "core/config/repository.h"

#include <algorithm>
#include <set>

#include "core/config/nearest.h"

namespace moelab::config {

namespace fs = std::filesystem;

Repository::Repository(std::vector<fs::path> directories) : directories_(std::move(directories)) {
  if (directories_.empty()) throw ConfigError("no config directory is given");
  for (const fs::path& directory : directories_) {
    std::error_code ignored;
    if (!fs::is_directory(directory, ignored)) {
      throw ConfigError("{}: the config directory does not exist or is not a directory", directory.string());
    }
  }
}

const Document* Repository::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = documents_.find(name);
  if (known != documents_.end()) return known->second.get();
  const std::string file = name.ends_with(".yaml") ? name : name + ".yaml";
  for (const fs::path& directory : directories_) {
    const fs::path path = directory / file;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    return (documents_[name] = read_document(path)).get();
  }
  return (documents_[name] = nullptr).get();
}

bool Repository::has_group(const std::string& group) {
  const std::lock_guard lock(mutex_);
  const auto known = groups_.find(group);
  if (known != groups_.end()) return known->second;
  const bool found = std::any_of(directories_.begin(), directories_.end(), [&](const fs::path& directory) {
    std::error_code ignored;
    return fs::is_directory(directory / group, ignored);
  });
  return groups_[group] = found;
}

std::vector<std::string> Repository::options(const std::string& group) const {
  std::set<std::string> names;
  for (const fs::path& directory : directories_) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory / group, ignored)) {
      if (entry.path().extension() == ".yaml" && entry.is_regular_file(ignored)) {
        names.insert(entry.path().stem().string());
      }
    }
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> Repository::groups(const std::string& group) const {
  std::set<std::string> names;
  for (const fs::path& directory : directories_) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory / group, ignored)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(ignored) && !name.starts_with('.') && name != "__pycache__") names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

Repository& Repository::with(const std::vector<fs::path>& more) {
  if (more.empty()) return *this;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Repository>& known = extended_[more];
  if (known == nullptr) {
    std::vector<fs::path> all = directories_;
    all.insert(all.end(), more.begin(), more.end());
    known = std::make_unique<Repository>(std::move(all));
  }
  return *known;
}

std::string Repository::search_path() const {
  std::vector<std::string> names;
  for (const fs::path& directory : directories_) names.push_back(directory.string());
  return join_names(names);
}

}  // namespace moelab::config
