// A config tree in which every value remembers the file and line it was written at; merged as OmegaConf
// merges.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/config/config.h"

namespace moelab::config {

struct Entry;

struct Node {
  enum class Kind { scalar, map, list };
  Node();
  // `place` is the file and must outlive the node.
  explicit Node(Kind node_kind, const std::string* place = nullptr, int line_number = 0);

  Kind kind = Kind::map;
  Json scalar = nullptr;              // of a scalar; null otherwise
  std::vector<Entry> entries;         // of a map in the order written; of a list with empty keys
  const std::string* file = nullptr;  // kept alive by the repository, or the command line's name
  int line = 0;

  bool is_container() const { return kind != Kind::scalar; }
  bool is_missing() const;        // the text ???
  bool is_interpolation() const;  // a text with ${
  Origin origin() const;
};

struct Entry {
  std::string key;
  Node node;
};

// The `file` of values that were given on the command line.
const std::string& command_line_name();

// The entry of a map, or null pointer.
Node* find_entry(Node& map, std::string_view key);
const Node* find_entry(const Node& map, std::string_view key);

// The child of a map by key or of a list by index, or null pointer.
Node* find_child(Node& parent, const std::string& key);

// A tree of nodes with the given place for every value.
Node from_json(const Json& value, const std::string* file, int line);

Json to_json(const Node& node);

// The origin of every value below `node`, by dotted key path.
void collect_origins(const Node& node, std::string& path, std::map<std::string, Origin>& origins);

// Nodes in the tree, itself included.
std::size_t count_nodes(const Node& node);

// "a.b[0].c" as its parts a, b, 0, c.
std::vector<std::string> split_key_path(std::string_view path);

// The parts joined by dots.
std::string join_key_path(const std::vector<std::string>& parts);

// "base.key", or the key alone when the base is empty.
std::string child_path(const std::string& base, std::string_view key);

// Merges `source` over the map `target`: maps merge key by key, lists and scalars replace, ??? never replaces
// a value. A target that is an interpolation of a container becomes a copy of that container first. With
// `closed`, keys that do not exist are errors. Throws ConfigError naming both places when a list meets a map.
struct MergeContext {
  const Node* root = nullptr;  // the whole tree, against which interpolations are resolved
  std::string path;            // of the target, for errors
  bool closed = false;
};
void merge_into(Node& target, const Node& source, const MergeContext& context);

}  // namespace moelab::config
