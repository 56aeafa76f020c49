#include <algorithm>

#include "core/config/apply_overrides.h"
#include "core/config/config.h"
#include "core/config/defaults.h"
#include "core/config/hydra_node.h"
#include "core/config/problems.h"
#include "core/config/repository.h"

namespace moelab::config {
namespace {

struct SortedOverrides {
  std::vector<ParsedOverride> groups;  // choices of config groups
  std::vector<ParsedOverride> values;
  std::vector<ParsedOverride> hydras;  // values of Hydra's own node
};

// Hydra's own defaults are not here, so its keys can always be set, and of its groups only those options can
// be chosen that the tree has files for; the others are left to Hydra.
void sort_hydras_own(Repository& repository, ParsedOverride parsed, SortedOverrides& sorted) {
  using Kind = ParsedOverride::Kind;
  if (parsed.key.find('/') == std::string::npos) {
    if (parsed.kind == Kind::set || parsed.kind == Kind::add) parsed.kind = Kind::force_add;
    sorted.hydras.push_back(std::move(parsed));
    return;
  }
  const bool has_option = parsed.values.size() == 1 && parsed.values[0].is_string();
  if (!has_option || parsed.kind == Kind::remove) return;
  if (repository.find(parsed.key + "/" + parsed.values[0].get<std::string>()) == nullptr) return;
  parsed.kind = Kind::add;
  sorted.groups.push_back(std::move(parsed));
}

// The repository with the directories of hydra.searchpath, from the primary config or the command line.
Repository& searched(Repository& repository, const std::string& config_name,
                     std::span<const std::string> overrides, std::vector<std::string>& warnings) {
  Json own;
  const Document* primary = repository.find(config_name);
  if (primary != nullptr) {
    if (const Node* node = find_entry(primary->root, "hydra")) own = to_json(*node);
  }
  for (const std::string& text : overrides) {
    if (!text.starts_with("hydra.searchpath=")) continue;
    own = {{"searchpath", parse_override(text).values.at(0)}};
    break;
  }
  return repository.with(search_path(own, warnings));
}

SortedOverrides sort_overrides(Repository& repository, std::span<const std::string> overrides,
                               Problems& problems) {
  SortedOverrides sorted;
  for (const std::string& text : overrides) {
    try {
      ParsedOverride parsed = parse_override(text);
      if (parsed.key.empty()) throw ConfigError("command line: '{}': a key is missing before '='", text);
      if (parsed.is_sweep) {
        throw ConfigError("command line: '{}' gives several values; that is a sweep (-m) or needs brackets",
                          text);
      }
      if (is_hydras_own(parsed.key)) {
        sort_hydras_own(repository, std::move(parsed), sorted);
        continue;
      }
      const bool is_map = !parsed.values.empty() && parsed.values.front().is_object();
      const bool is_group = !is_map && repository.has_group(parsed.key);
      (is_group ? sorted.groups : sorted.values).push_back(std::move(parsed));
    } catch (const ConfigError& problem) {
      problems.add(problem.what());
    }
  }
  return sorted;
}

// Merges a file's tree at its package. Levels that are mappings already are walked, the rest is built around
// it.
void merge_part(Node& root, const Part& part) {
  const std::vector<std::string> levels = split_key_path(part.package);
  Node* target = &root;
  std::string path;
  std::size_t depth = 0;
  for (; depth < levels.size(); ++depth) {
    Node* child = find_entry(*target, levels[depth]);
    if (child == nullptr || child->kind != Node::Kind::map) break;
    target = child;
    path = child_path(path, levels[depth]);
  }
  const MergeContext context{.root = &root, .path = path};
  if (depth == levels.size()) return merge_into(*target, part.document->root, context);
  Node wrapped = part.document->root;
  for (std::size_t i = levels.size(); i-- > depth;) {
    Node level(Node::Kind::map, wrapped.file, wrapped.line);
    level.entries.push_back({levels[i], std::move(wrapped)});
    wrapped = std::move(level);
  }
  merge_into(*target, wrapped, context);
}

bool has_missing(const Node& node) {
  return node.is_missing() || std::any_of(node.entries.begin(), node.entries.end(),
                                          [](const Entry& entry) { return has_missing(entry.node); });
}

void note_missing(const Node& node, std::string& path, Problems& problems) {
  if (node.is_missing()) {
    problems.add(fmt::format("{}: '{}' must be given: {}=VALUE", describe(node.origin()), path, path));
  }
  const std::size_t length = path.size();
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    const Entry& entry = node.entries[i];
    if (length > 0) path += '.';
    path += node.kind == Node::Kind::list ? std::to_string(i) : entry.key;
    note_missing(entry.node, path, problems);
    path.resize(length);
  }
}

}  // namespace

Tree::Tree(std::vector<std::filesystem::path> directories)
    : repository_(std::make_shared<Repository>(std::move(directories))) {}

std::vector<std::string> Tree::options(const std::string& group) const { return repository_->options(group); }

std::vector<std::string> Tree::groups(const std::string& group) const { return repository_->groups(group); }

std::vector<DefaultsEntry> Tree::defaults(const std::string& config_name,
                                          std::span<const std::string> overrides) const {
  Problems problems;
  std::vector<std::string> warnings;
  Repository& repository = searched(*repository_, config_name, overrides, warnings);
  const SortedOverrides sorted = sort_overrides(repository, overrides, problems);
  Expansion expansion = expand_defaults(repository, config_name, sorted.groups, problems);
  problems.throw_if_any();
  return std::move(expansion.entries);
}

Composed Tree::compose(const std::string& config_name, std::span<const std::string> overrides,
                       const ComposeOptions& options) const {
  Problems problems;
  Composed composed;
  Repository& repository = searched(*repository_, config_name, overrides, composed.warnings);
  const SortedOverrides sorted = sort_overrides(repository, overrides, problems);
  const Expansion expansion = expand_defaults(repository, config_name, sorted.groups, problems);
  problems.throw_if_any();  // what follows from an incomplete list would only confuse

  Node root(Node::Kind::map);
  const auto note = [&](const auto& action) {
    try {
      action();
    } catch (const ConfigError& problem) {
      problems.add(problem.what());
    }
  };
  for (const Part& part : expansion.parts) note([&] { merge_part(root, part); });
  for (const ParsedOverride& parsed : sorted.hydras) note([&] { apply_override(root, parsed); });
  for (const ParsedOverride& parsed : sorted.values) note([&] { apply_override(root, parsed); });
  const Node* own = find_entry(root, "hydra");
  composed.hydra = hydra_node(own == nullptr ? Json(nullptr) : to_json(*own),
                              {.config_name = config_name,
                               .overrides = {overrides.begin(), overrides.end()},
                               .choices = expansion.choices});
  std::erase_if(root.entries, [](const Entry& entry) { return entry.key == "hydra"; });
  std::string path;
  if (!options.allow_missing && has_missing(root)) note_missing(root, path, problems);
  if (options.problems != nullptr) {
    for (const std::string& problem : problems.list()) options.problems->push_back(problem);
  } else {
    problems.throw_if_any();
  }
  composed.tree = to_json(root);
  if (options.with_origins) collect_origins(root, path, composed.origins);
  return composed;
}

}  // namespace moelab::config
