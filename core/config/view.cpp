#include "core/config/view.h"

#include "core/config/hydra_node.h"
#include "core/config/node.h"

namespace moelab::config {
namespace {

// Resolves the whole, Hydra's node included: its references may lead into the job's config and back.
void resolve_all(Composed& composed, ConfigPart part) {
  if (part == ConfigPart::job) return resolve(composed);
  Composed whole = composed;
  whole.tree["hydra"] = composed.hydra;
  resolve(whole);
  composed.hydra = whole.tree["hydra"];
  whole.tree.erase("hydra");
  composed.tree = std::move(whole.tree);
}

void put_origins(const Json& value, const std::string& path, const Composed& composed, std::string& text) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, child] : value.items()) put_origins(child, child_path(path, key), composed, text);
    return;
  }
  const auto origin = composed.origins.find(path);
  const std::string place = origin == composed.origins.end() ? "" : describe(origin->second);
  text += fmt::format("{:<44} # {}\n", fmt::format("{} = {}", path, value.dump()), place);
}

}  // namespace

ConfigPart parse_part(const std::string& name) {
  if (name == "job") return ConfigPart::job;
  if (name == "hydra") return ConfigPart::hydra;
  if (name == "all") return ConfigPart::all;
  throw ConfigError("--cfg takes job, hydra or all, got '{}'", name);
}

std::string view(Composed composed, const ViewOptions& options) {
  if (options.resolve) resolve_all(composed, options.part);
  Json shown = options.part == ConfigPart::hydra ? Json::object() : composed.tree;
  if (options.part != ConfigPart::job) shown["hydra"] = composed.hydra;
  if (!options.package.empty()) {
    const Json* found = find_key(shown, options.package);
    if (found == nullptr) throw ConfigError("--package: the config has no key '{}'", options.package);
    shown = Json(*found);
  }
  if (options.json) return shown.dump() + "\n";
  std::string text;
  if (options.origins) {
    put_origins(shown, options.package, composed, text);
    return text;
  }
  if (!options.package.empty()) text = fmt::format("# @package {}\n", options.package);
  return text + to_yaml(shown);
}

std::string view(const std::vector<DefaultsEntry>& entries) {
  std::string text;
  for (const DefaultsEntry& entry : entries) {
    text.append(static_cast<std::size_t>(entry.depth) * 2, ' ');
    text += entry.is_self ? "_self_" : entry.config;
    text += fmt::format(" @ {}", entry.package.empty() ? "_global_" : entry.package);
    text += entry.note.empty() ? "\n" : fmt::format("  ({})\n", entry.note);
  }
  return text;
}

Sweep sweep_of(const Tree& tree, const std::string& config_name, std::span<const std::string> overrides) {
  std::vector<std::string> single;
  for (const std::string& text : overrides) {
    if (!parse_override(text).is_sweep) single.push_back(text);
  }
  const Composed base = tree.compose(config_name, single, {.with_origins = false, .allow_missing = true});
  std::vector<std::string> all;
  const Json* params = find_key(base.hydra, "sweeper.params");
  if (params != nullptr && params->is_object()) {
    for (const auto& [key, value] : params->items()) {
      all.push_back(fmt::format("{}={}", key, value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
  all.insert(all.end(), overrides.begin(), overrides.end());
  return split_sweep(all, {.tree = &tree});
}

}  // namespace moelab::config
