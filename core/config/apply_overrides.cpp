#include "core/config/apply_overrides.h"

#include <algorithm>

#include "core/config/interpolation.h"
#include "core/config/nearest.h"

namespace moelab::config {
namespace {

using OverrideKind = ParsedOverride::Kind;
using Path = std::vector<std::string>;

std::string nearest_key(const Node& root, const std::string& key) {
  std::map<std::string, Origin> origins;
  std::string path;
  collect_origins(root, path, origins);
  std::vector<std::string> keys;
  for (const auto& [known, origin] : origins) keys.push_back(known);
  return did_you_mean(key, keys);
}

[[noreturn]] void fail_unknown(const Node& root, const ParsedOverride& parsed) {
  if (parsed.key.find('/') != std::string::npos) throw ConfigError("'{}' is no config group", parsed.key);
  throw ConfigError("the key '{}' does not exist{} (to add it: +{})", parsed.key,
                    nearest_key(root, parsed.key), parsed.text);
}

// The node at a path, or null pointer.
Node* walk(Node& root, const Path& path) {
  Node* node = &root;
  for (const std::string& part : path) {
    node = find_child(*node, part);
    if (node == nullptr) return nullptr;
  }
  return node;
}

bool passes_interpolation(Node& root, const Path& path) {
  Node* node = &root;
  for (const std::string& part : path) {
    node = find_child(*node, part);
    if (node == nullptr) return false;
    if (node->is_interpolation()) return true;
  }
  return false;
}

struct Found {
  Json value;  // null when there is nothing, null or ???
  Path place;
};

// What OmegaConf's select() gives: interpolations on the way are followed, null and ??? count as nothing.
Found select(Node& root, const Path& path) {
  Found found{.value = nullptr, .place = path};
  if (passes_interpolation(root, path)) {
    const Json tree = to_json(root);
    Resolver resolver(tree);
    Path parent = path;
    parent.pop_back();
    const std::optional<Path> container = resolver.locate(parent, true);
    if (!container) return found;
    found.place = *container;
    found.place.push_back(path.back());
    if (!resolver.locate(found.place, false)) return found;
    found.value = resolver.value_at(found.place);
    if (found.value == "???" && !walk(root, found.place)->is_missing()) {
      throw ConfigError("'{}' is an interpolation of a value that must be given first",
                        join_key_path(found.place));
    }
  } else if (const Node* node = walk(root, path)) {
    found.value = to_json(*node);
  }
  if (found.value == "???") found.value = nullptr;
  return found;
}

// The container that holds the last part; with `create` whatever is in its way becomes a mapping.
Node* parent_of(Node& root, const Path& path, bool create) {
  Node* node = &root;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    Node* child = find_child(*node, path[i]);
    if (child != nullptr && child->is_container()) {
      node = child;
      continue;
    }
    if (!create) return nullptr;
    if (child == nullptr) {
      if (node->kind == Node::Kind::list) throw ConfigError("a list has no element '{}'", path[i]);
      node->entries.push_back({path[i], {}});
      child = &node->entries.back().node;
    }
    *child = Node(Node::Kind::map);
    node = child;
  }
  return node;
}

void check_texts(const Json& value) {
  if (value.is_string()) check_interpolations(value.get_ref<const std::string&>());
  for (const Json& item : value.is_structured() ? value : Json::array()) check_texts(item);
}

void update(Node& root, const ParsedOverride& parsed, bool create) {
  const Path path = split_key_path(parsed.key);
  Node* parent = parent_of(root, path, create);
  if (parent == nullptr) fail_unknown(root, parsed);
  const Json& given = parsed.values.front();
  check_texts(given);
  Node value = from_json(given, &command_line_name(), 0);
  Node* target = find_child(*parent, path.back());
  if (target == nullptr) {
    if (parent->kind == Node::Kind::list) {
      throw ConfigError("the list '{}' has {} elements, so there is no '{}'",
                        parsed.key.substr(0, parsed.key.rfind('.')), parent->entries.size(), path.back());
    }
    if (!create) fail_unknown(root, parsed);
    parent->entries.push_back({path.back(), std::move(value)});
  } else if (target->is_container() && value.is_container()) {
    merge_into(*target, value, {.root = &root, .path = parsed.key, .closed = !create});
  } else {
    *target = std::move(value);
  }
}

void remove(Node& root, const ParsedOverride& parsed) {
  const Found found = select(root, split_key_path(parsed.key));
  if (found.value.is_null()) {
    throw ConfigError("there is no value to delete at '{}'{}", parsed.key, nearest_key(root, parsed.key));
  }
  if (!parsed.values.empty() && !parsed.values.front().is_null() && parsed.values.front() != found.value) {
    throw ConfigError("the value of '{}' is {} and not {}", parsed.key, found.value.dump(),
                      parsed.values.front().dump());
  }
  Path parent_path = found.place;
  parent_path.pop_back();
  Node* parent = walk(root, parent_path);
  if (parent == nullptr || parent->kind != Node::Kind::map)
    throw ConfigError("a list's element cannot be deleted");
  std::erase_if(parent->entries, [&](const Entry& entry) { return entry.key == found.place.back(); });
}

void add(Node& root, const ParsedOverride& parsed) {
  const Found found = select(root, split_key_path(parsed.key));
  if (!found.value.is_null() && !parsed.values.front().is_structured()) {
    throw ConfigError("the key '{}' exists already: write {} to change it, or ++ to add or change",
                      parsed.key, parsed.text.substr(1));
  }
  update(root, parsed, true);
}

// Appends to a list that exists; a reference to a list is followed.
void extend(Node& root, const ParsedOverride& parsed) {
  const Path path = split_key_path(parsed.key);
  Node* list = walk(root, path);
  if (list != nullptr && list->is_interpolation()) {
    const Json tree = to_json(root);
    const std::optional<Path> place = Resolver(tree).locate(path, true);
    list = place ? walk(root, *place) : nullptr;
  }
  if (list == nullptr) fail_unknown(root, parsed);
  if (list->kind != Node::Kind::list) {
    throw ConfigError("'{}' is {} and no list", parsed.key, to_json(*list).dump());
  }
  check_texts(parsed.values.front());
  const Node added = from_json(parsed.values.front(), &command_line_name(), 0);
  list->entries.insert(list->entries.end(), added.entries.begin(), added.entries.end());
}

}  // namespace

void apply_override(Node& root, const ParsedOverride& parsed) {
  try {
    if (!parsed.package.empty()) throw ConfigError("'{}' is no config group", parsed.key);
    switch (parsed.kind) {
      case OverrideKind::set:
        return update(root, parsed, false);
      case OverrideKind::add:
        return add(root, parsed);
      case OverrideKind::force_add:
        return update(root, parsed, true);
      case OverrideKind::remove:
        return remove(root, parsed);
      case OverrideKind::extend:
        return extend(root, parsed);
    }
  } catch (const ConfigError& problem) {
    throw ConfigError("command line: '{}': {}", parsed.text, problem.what());
  }
}

}  // namespace moelab::config
