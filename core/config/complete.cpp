#include <algorithm>

#include "core/config/node.h"
#include "core/config/view.h"

namespace moelab::config {
namespace {

// Groups below the part of the word before its last slash: "model=", and "server/" where there are groups
// inside.
void add_groups(const Tree& tree, const std::string& word, std::vector<std::string>& found) {
  const std::size_t slash = word.rfind('/');
  const std::string base = slash == std::string::npos ? "" : word.substr(0, slash);
  for (const std::string& name : tree.groups(base)) {
    const std::string group = base.empty() ? name : base + "/" + name;
    if (!tree.options(group).empty()) found.push_back(group + "=");
    if (!tree.groups(group).empty()) found.push_back(group + "/");
  }
}

// Keys below the part of the word before its last dot: "axes.alpha=", and "axes." for a mapping.
void add_keys(const Json& config, const std::string& word, std::vector<std::string>& found) {
  const std::size_t dot = word.rfind('.');
  const std::string base = dot == std::string::npos ? "" : word.substr(0, dot);
  const Json* node = find_key(config, base);
  if (node == nullptr || !node->is_object()) return;
  for (const auto& [key, value] : node->items()) {
    found.push_back(child_path(base, key) + (value.is_object() && !value.empty() ? "." : "="));
  }
}

void add_values(const Tree& tree, const Json& config, const std::string& key,
                std::vector<std::string>& found) {
  const std::string group = key.substr(0, key.find('@'));
  for (const std::string& option : tree.options(group)) found.push_back(fmt::format("{}={}", key, option));
  const Json* value = find_key(config, key);
  if (value != nullptr && !value->is_structured()) {
    found.push_back(
        fmt::format("{}={}", key, value->is_string() ? value->get<std::string>() : value->dump()));
  }
}

}  // namespace

std::vector<std::string> complete(const Tree& tree, const std::string& config_name, const std::string& word) {
  const std::size_t prefix = std::min(word.find_first_not_of("+~"), word.size());
  const std::string begun = word.substr(prefix);
  Json config;
  try {
    config = tree.compose(config_name, {}, {.with_origins = false, .allow_missing = true}).tree;
  } catch (const ConfigError&) {
    config = Json::object();  // groups can be offered all the same
  }
  std::vector<std::string> found;
  const std::size_t equal = begun.find('=');
  if (equal != std::string::npos) {
    add_values(tree, config, begun.substr(0, equal), found);
  } else {
    add_groups(tree, begun, found);
    add_keys(config, begun, found);
  }
  std::erase_if(found, [&](const std::string& candidate) { return !candidate.starts_with(begun); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  for (std::string& candidate : found) candidate.insert(0, word.substr(0, prefix));
  return found;
}

}  // namespace moelab::config
