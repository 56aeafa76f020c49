// Evaluates ${...} references of OmegaConf: keys absolute and relative, nested ones, and resolvers.
#pragma once

#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/node.h"
#include "core/config/reference.h"

namespace moelab::config {

// Throws ConfigError when a ${ is not closed or has no key.
void check_interpolations(std::string_view text);

// What references can read beside the tree itself.
struct ResolveContext {
  const Json* hydra = nullptr;           // for ${hydra:...}; null pointer where there is none
  std::time_t now = std::time(nullptr);  // for ${now:...}, local time
};

// A key path as its parts.
using KeyPath = std::vector<std::string>;

// Evaluates references against one tree, which it only reads and which must outlive it.
class Resolver {
 public:
  explicit Resolver(const Json& root, ResolveContext context = {}, int depth = 0)
      : root_(root), context_(context), depth_(depth) {}

  // The value at the path with everything below it resolved. Throws ConfigError.
  Json value_at(const KeyPath& path);

  // The place a path leads to when the references on its way are followed, the last one included when
  // `follow_last` is set; null when there is no such key.
  std::optional<KeyPath> locate(const KeyPath& path, bool follow_last);

  // The value of a text that stands at `path`. Throws ConfigError.
  Json evaluate(const KeyPath& path, std::string_view text);

 private:
  struct Guard;

  // Where a key path ends: a place in the tree, or a value that a reference on the way computed.
  struct Found {
    std::optional<KeyPath> place;
    Json computed;
  };

  std::optional<Found> find(const KeyPath& path, bool follow_last);
  std::optional<Found> follow(const KeyPath& at, const Json& text, const KeyPath& rest);
  Json value_of(const Found& found);
  Json expression_value(const KeyPath& at, const Expression& expression);
  Json node_value(const KeyPath& at, const Expression& node);
  std::string text_of(const KeyPath& at, const Expression& part);
  KeyPath target_of(const KeyPath& at, const Expression& node);
  KeyPath target_of(const KeyPath& at, std::string_view key);

  Json resolver_value(const KeyPath& at, const Expression& call);
  Json select(const KeyPath& at, const std::vector<Json>& arguments);
  Json dictionary(const KeyPath& at, const Json& key, bool wants_keys);
  Json create(const KeyPath& at, const Json& value);
  Json decode(const KeyPath& at, const Json& text);
  Json hydra_value(const Json& path);
  Json deprecated(const KeyPath& at, const Json& key);

  const Json& root_;
  ResolveContext context_;
  int depth_ = 0;                    // resolvers that made a tree of their own, one inside the other
  std::vector<std::string> active_;  // places being resolved, to find cycles
  std::size_t produced_ = 0;         // values made so far, to stop references that multiply
};

// The container that the interpolation at `path` of the tree leads to, or nothing when it is none.
std::optional<Node> interpolated_container(const Node& root, const std::string& path);

// The child of a mapping by key or of a list by index, or null pointer.
const Json* json_child(const Json& parent, const std::string& key);

}  // namespace moelab::config
