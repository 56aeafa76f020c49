// Finds config files and groups on a search path and keeps every file that has been read.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/config/yaml_reader.h"

namespace moelab::config {

class Repository {
 public:
  // Throws ConfigError when a directory does not exist.
  explicit Repository(std::vector<std::filesystem::path> directories);

  // The file "<name>.yaml" of the first directory that has it, or null pointer. Lives as long as the
  // repository. Throws ConfigError when the file cannot be read, also at later calls.
  const Document* find(const std::string& name);

  // Whether any directory has the group, a subfolder of this name.
  bool has_group(const std::string& group);

  // The sorted names of a group's files without .yaml, over all directories.
  std::vector<std::string> options(const std::string& group) const;

  // The sorted names of the subfolders of a group ("" is the root), over all directories.
  std::vector<std::string> groups(const std::string& group) const;

  // The same with more directories behind the others; made once for each list.
  Repository& with(const std::vector<std::filesystem::path>& more);

  // The directories, for error messages.
  std::string search_path() const;

 private:
  std::vector<std::filesystem::path> directories_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const Document>>
      documents_;  // null pointers for files that do not exist
  std::map<std::string, bool> groups_;
  std::map<std::vector<std::filesystem::path>, std::unique_ptr<Repository>> extended_;
};

}  // namespace moelab::config
