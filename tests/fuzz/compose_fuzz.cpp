// libFuzzer target: a tree of three YAML files and an override, cut from one input at the lines "---".
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/config.h"

namespace {

namespace fs = std::filesystem;

// One folder for the whole run: a folder an input would leave the disk full.
const fs::path& folder() {
  static const fs::path made = [] {
    std::string pattern = (fs::temp_directory_path() / "moelab-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    fs::create_directories(fs::path(pattern) / "group");
    return fs::path(pattern);
  }();
  return made;
}

std::vector<std::string> cut(const std::string& text) {
  std::vector<std::string> parts(1);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line == "---" && parts.size() < 4) {
      parts.emplace_back();
    } else {
      parts.back() += line + "\n";
    }
    at = end + 1;
  }
  parts.resize(4);
  return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moelab;
  const std::vector<std::string> parts = cut(std::string(reinterpret_cast<const char*>(data), size));
  const char* files[] = {"config.yaml", "group/one.yaml", "group/two.yaml"};
  for (std::size_t i = 0; i < 3; ++i) std::ofstream(folder() / files[i]) << parts[i];
  std::vector<std::string> overrides;
  if (parts[3].size() > 1) overrides.push_back(parts[3].substr(0, parts[3].size() - 1));
  try {
    const config::Tree tree({folder()});
    config::Composed composed = tree.compose("config", overrides, {.allow_missing = true});
    config::to_yaml(composed.tree);
    tree.defaults("config", overrides);
    config::resolve(composed);
  } catch (const ConfigError&) {
  }
  return 0;
}
