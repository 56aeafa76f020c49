#include "core/config/node.h"

#include <charconv>
#include <optional>

#include "core/config/interpolation.h"
#include "core/config/nearest.h"

namespace moelab::config {
namespace {

bool parse_index(const std::string& text, std::size_t& index) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc{} && end == text.data() + text.size();
}

// Keeps the keys that exist in step with Hydra: an unknown key names the nearest known one.
void require_known_key(const Node& target, const Entry& entry, const MergeContext& context) {
  std::vector<std::string> known;
  for (const Entry& sibling : target.entries) known.push_back(child_path(context.path, sibling.key));
  const std::string path = child_path(context.path, entry.key);
  throw ConfigError("{}: the key '{}' does not exist{} (a new key needs + in front)",
                    describe(entry.node.origin()), path, did_you_mean(path, known));
}

// A merge over an interpolation of a container works on a copy of that container.
void expand_interpolation(Node& target, const std::string& key, const MergeContext& context) {
  if (context.root == nullptr) return;
  if (std::optional<Node> container = interpolated_container(*context.root, child_path(context.path, key))) {
    target = std::move(*container);
  }
}

}  // namespace

std::string describe(const Origin& origin) {
  return origin.line > 0 ? fmt::format("{}:{}", origin.file, origin.line) : origin.file;
}

Node::Node() = default;

Node::Node(Kind node_kind, const std::string* place, int line_number)
    : kind(node_kind), file(place), line(line_number) {}

bool Node::is_missing() const {
  return kind == Kind::scalar && scalar.is_string() && scalar.get_ref<const std::string&>() == "???";
}

bool Node::is_interpolation() const {
  return kind == Kind::scalar && scalar.is_string() &&
         scalar.get_ref<const std::string&>().find("${") != std::string::npos;
}

Origin Node::origin() const { return {.file = file != nullptr ? *file : command_line_name(), .line = line}; }

const std::string& command_line_name() {
  static const std::string name = "command line";
  return name;
}

const Node* find_entry(const Node& map, std::string_view key) {
  if (map.kind != Node::Kind::map) return nullptr;
  for (const Entry& entry : map.entries) {
    if (entry.key == key) return &entry.node;
  }
  return nullptr;
}

Node* find_entry(Node& map, std::string_view key) {
  return const_cast<Node*>(find_entry(static_cast<const Node&>(map), key));
}

Node* find_child(Node& parent, const std::string& key) {
  if (parent.kind == Node::Kind::map) return find_entry(parent, key);
  std::size_t index = 0;
  if (parent.kind != Node::Kind::list || !parse_index(key, index)) return nullptr;
  return index < parent.entries.size() ? &parent.entries[index].node : nullptr;
}

Node from_json(const Json& value, const std::string* file, int line) {
  Node node(Node::Kind::scalar, file, line);
  if (value.is_object()) {
    node.kind = Node::Kind::map;
    for (const auto& [key, item] : value.items()) node.entries.push_back({key, from_json(item, file, line)});
  } else if (value.is_array()) {
    node.kind = Node::Kind::list;
    for (const Json& item : value) node.entries.push_back({"", from_json(item, file, line)});
  } else {
    node.scalar = value;
  }
  return node;
}

Json to_json(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.scalar;
  if (node.kind == Node::Kind::list) {
    Json list = Json::array();
    for (const Entry& entry : node.entries) list.push_back(to_json(entry.node));
    return list;
  }
  Json::object_t map;
  map.reserve(node.entries.size());
  for (const Entry& entry : node.entries) map.Container::emplace_back(entry.key, to_json(entry.node));
  return Json(std::move(map));
}

void collect_origins(const Node& node, std::string& path, std::map<std::string, Origin>& origins) {
  const std::size_t length = path.size();
  for (std::size_t i = 0; i < node.entries.size(); ++i) {
    const Entry& entry = node.entries[i];
    if (length > 0) path += '.';
    path += node.kind == Node::Kind::list ? std::to_string(i) : entry.key;
    origins.insert_or_assign(path, entry.node.origin());
    collect_origins(entry.node, path, origins);
    path.resize(length);
  }
}

std::size_t count_nodes(const Node& node) {
  std::size_t count = 1;
  for (const Entry& entry : node.entries) count += count_nodes(entry.node);
  return count;
}

std::vector<std::string> split_key_path(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '[') {
      const std::size_t close = path.find(']', at);
      if (close == std::string_view::npos) throw ConfigError("the key path '{}' has an unclosed [", path);
      parts.emplace_back(path.substr(at + 1, close - at - 1));
      at = close + 1;
    } else {
      const std::size_t end = std::min(path.find_first_of(".[", at), path.size());
      parts.emplace_back(path.substr(at, end - at));
      at = end;
    }
    if (at < path.size() && path[at] == '.') ++at;
  }
  return parts;
}

std::string join_key_path(const std::vector<std::string>& parts) {
  std::string path;
  for (std::size_t i = 0; i < parts.size(); ++i) path += (i == 0 ? "" : ".") + parts[i];
  return path;
}

std::string child_path(const std::string& base, std::string_view key) {
  return base.empty() ? std::string(key) : fmt::format("{}.{}", base, key);
}

void merge_into(Node& target, const Node& source, const MergeContext& context) {
  if (target.kind != source.kind) {
    const auto name = [](const Node& node) { return node.kind == Node::Kind::list ? "list" : "mapping"; };
    throw ConfigError("{}: '{}' is a {} here and a {} at {}; a list cannot be merged with a mapping",
                      describe(source.origin()), context.path, name(source), name(target),
                      describe(target.origin()));
  }
  if (source.kind == Node::Kind::list) {
    target = source;
    return;
  }
  for (const Entry& entry : source.entries) {
    Node* found = find_entry(target, entry.key);
    if (found == nullptr) {
      if (context.closed) require_known_key(target, entry, context);
      target.entries.push_back(entry);
      continue;
    }
    if (found->is_interpolation()) expand_interpolation(*found, entry.key, context);
    if (found->is_container() && entry.node.is_container()) {
      merge_into(*found, entry.node, {context.root, child_path(context.path, entry.key), context.closed});
    } else if (!entry.node.is_missing()) {
      *found = entry.node;
    }
  }
}

}  // namespace moelab::config
