// Reads one YAML config file: its tree with line numbers, its package header and its defaults list.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/node.h"

namespace moelab::config {

// One item of a defaults list as it is written.
struct DefaultItem {
  bool is_group = false;                 // "group: option", otherwise a plain config or _self_
  std::string path{};                    // the group, or the config
  std::optional<std::string> option{};   // of a group; none for null
  std::vector<std::string> options{};    // of a group with a list
  bool has_list = false;                 // the option is a list
  std::optional<std::string> package{};  // behind @
  bool optional = false;
  bool is_override = false;
  int line = 0;

  bool is_self() const { return !is_group && path == "_self_"; }
};

struct Document {
  std::string file;
  std::optional<std::string> package;  // of a "# @package NAME" header
  std::vector<DefaultItem> defaults;
  Node root;  // without the defaults list; a map, or a list in a group's option
};

// Throws ConfigError naming file:line: bad UTF-8, YAML syntax, duplicate keys, nesting and aliases beyond
// bounds, a malformed defaults list or header, wrong interpolation syntax. The nodes point to the document's
// `file`, so a document never moves.
std::unique_ptr<const Document> read_document(const std::filesystem::path& path);

// The offset of the first byte that is not UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text);

// The tree of a YAML text. `file` must outlive the nodes.
Node parse_yaml(const std::string& text, const std::string& file);

}  // namespace moelab::config
