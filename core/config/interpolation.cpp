#include "core/config/interpolation.h"

#include <algorithm>

#include "core/config/interpolation_errors.h"
#include "core/config/nearest.h"
#include "core/config/problems.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

using Path = KeyPath;

constexpr std::size_t max_produced = 1'000'000;
constexpr std::size_t max_active = 200;

bool is_interpolation(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find("${") != std::string::npos;
}

const Json* node_at(const Json& root, const Path& path) {
  const Json* node = &root;
  for (const std::string& part : path) {
    if (node != nullptr) node = json_child(*node, part);
  }
  return node;
}

bool starts_with(const Path& path, const Path& prefix) {
  return path.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

ResolveContext context_of(const Composed& composed) {
  ResolveContext context{.hydra = &composed.hydra};
  if (composed.now != 0) context.now = composed.now;
  return context;
}

std::vector<std::string> keys_of(const Json* node, const std::string& base) {
  std::vector<std::string> keys;
  if (node == nullptr || !node->is_object()) return keys;
  for (const auto& item : node->items()) keys.push_back(child_path(base, item.key()));
  return keys;
}

// Resolves every leaf below a node in place and notes what cannot be resolved.
class TreeResolver {
 public:
  TreeResolver(const Json& root, const std::map<std::string, Origin>* origins, const ResolveContext& context)
      : resolver_(root, context), origins_(origins) {}

  void resolve(const Path& path, Json& target) {
    if (target.is_structured()) {
      std::size_t index = 0;
      for (auto& item : target.items()) {
        Path child = path;
        child.push_back(target.is_object() ? item.key() : std::to_string(index++));
        resolve(child, item.value());
      }
    } else if (is_interpolation(target)) {
      try {
        target = resolver_.value_at(path);
      } catch (const ConfigError& problem) {
        note(path, problem.what());
      }
    }
  }

  const Problems& problems() const { return problems_; }

 private:
  void note(const Path& path, std::string_view problem) {
    const std::string name = join_key_path(path);
    std::string place;
    if (origins_ != nullptr) {
      const auto origin = origins_->find(name);
      if (origin != origins_->end()) place = describe(origin->second) + ": ";
    }
    problems_.add(fmt::format("{}'{}': {}", place, name, problem));
  }

  Resolver resolver_;
  const std::map<std::string, Origin>* origins_;
  Problems problems_;
};

}  // namespace

struct Resolver::Guard {
  Guard(Resolver& resolver, const std::string& place) : active(resolver.active_) {
    if (std::find(active.begin(), active.end(), place) != active.end() || active.size() > max_active) {
      std::string chain;
      for (const std::string& step : active) chain += step + " -> ";
      throw ConfigError("the interpolations go in a circle: {}{}", chain, place);
    }
    active.push_back(place);
  }
  ~Guard() { active.pop_back(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  std::vector<std::string>& active;
};

const Json* json_child(const Json& parent, const std::string& key) {
  if (parent.is_object()) {
    const auto found = parent.find(key);
    return found == parent.end() ? nullptr : &*found;
  }
  if (!parent.is_array() || key.empty() || key.find_first_not_of("0123456789") != std::string::npos ||
      key.size() > 9) {
    return nullptr;
  }
  const std::size_t index = static_cast<std::size_t>(std::stoul(key));
  return index < parent.size() ? &parent[index] : nullptr;
}

void check_interpolations(std::string_view text) {
  if (text.find("${") != std::string_view::npos) parse_text(text);
}

Json Resolver::value_at(const Path& path) {
  const Json* node = node_at(root_, path);
  if (node == nullptr) throw ConfigError("the key '{}' does not exist", join_key_path(path));
  if (++produced_ > max_produced)
    throw ConfigError("the interpolations make more than {} values", max_produced);
  if (node->is_structured()) {
    const Guard guard(*this, join_key_path(path));
    Json copy = node->is_object() ? Json::object() : Json::array();
    std::size_t index = 0;
    for (const auto& item : node->items()) {
      Path child = path;
      child.push_back(node->is_object() ? item.key() : std::to_string(index++));
      Json value = value_at(child);
      if (node->is_object()) {
        copy[item.key()] = std::move(value);
      } else {
        copy.push_back(std::move(value));
      }
    }
    return copy;
  }
  if (!is_interpolation(*node)) return *node;
  const Guard guard(*this, join_key_path(path));
  try {
    return evaluate(path, node->get_ref<const std::string&>());
  } catch (const LeadsToMissing&) {
    return "???";
  }
}

// Follows the reference that stands at `at`, and goes on with `rest` from where it leads.
std::optional<Resolver::Found> Resolver::follow(const Path& at, const Json& text, const Path& rest) {
  const Expression expression = parse_text(text.get_ref<const std::string&>());
  const Guard guard(*this, join_key_path(at) + " on the way");
  if (expression.kind == Expression::Kind::node) {
    Path target = target_of(at, expression);
    const bool is_end = rest.empty();
    target.insert(target.end(), rest.begin(), rest.end());
    return find(target, is_end);
  }
  Found found{.place = std::nullopt, .computed = expression_value(at, expression)};
  for (const std::string& part : rest) {
    const Json* child = json_child(found.computed, part);
    if (child == nullptr) return std::nullopt;
    found.computed = Json(*child);
  }
  return found;
}

std::optional<Resolver::Found> Resolver::find(const Path& path, bool follow_last) {
  const Json* node = &root_;
  Path place;
  for (std::size_t i = 0; i < path.size(); ++i) {
    node = json_child(*node, path[i]);
    if (node == nullptr) return std::nullopt;
    place.push_back(path[i]);
    const bool is_last = i + 1 == path.size();
    if (!is_last && node->is_string() && node->get_ref<const std::string&>() == "???") {
      throw LeadsToMissing("'{}' has no value yet and must be given", join_key_path(place));
    }
    if (!is_interpolation(*node) || (is_last && !follow_last)) continue;
    return follow(place, *node, Path(path.begin() + static_cast<std::ptrdiff_t>(i) + 1, path.end()));
  }
  return Found{.place = place, .computed = {}};
}

std::optional<Path> Resolver::locate(const Path& path, bool follow_last) {
  const std::optional<Found> found = find(path, follow_last);
  return found ? found->place : std::nullopt;
}

Json Resolver::value_of(const Found& found) { return found.place ? value_at(*found.place) : found.computed; }

Path Resolver::target_of(const Path& at, std::string_view key) {
  const std::size_t dots = std::min(key.find_first_not_of('.'), key.size());
  Path base;
  if (dots > 0) {
    if (dots > at.size()) throw ConfigError("the relative key has more dots than there are levels above");
    base.assign(at.begin(), at.end() - static_cast<std::ptrdiff_t>(dots));
  }
  for (std::string& part : split_key_path(key.substr(dots))) base.push_back(std::move(part));
  return base;
}

Path Resolver::target_of(const Path& at, const Expression& node) {
  std::string key(node.dots, '.');
  for (const Expression& part : node.parts) {
    const Json value = expression_value(at, part);
    if (!value.is_string()) throw ConfigError("a key inside ${{...}} must be a text, got {}", value.dump());
    key += value.get_ref<const std::string&>();
  }
  return target_of(at, key);
}

Json Resolver::node_value(const Path& at, const Expression& node) {
  const Path wanted = target_of(at, node);
  const std::optional<Found> found = find(wanted, false);
  if (!found) {
    const Path parent(wanted.begin(), wanted.end() - (wanted.empty() ? 0 : 1));
    const std::string base = join_key_path(parent);
    throw ConfigError("the key '{}' does not exist{}", join_key_path(wanted),
                      did_you_mean(join_key_path(wanted), keys_of(node_at(root_, parent), base)));
  }
  if (!found->place) return found->computed;
  if (starts_with(at, *found->place))
    throw ConfigError("'{}' contains the interpolation itself", join_key_path(*found->place));
  Json value = value_at(*found->place);
  if (value.is_string() && value.get_ref<const std::string&>() == "???") {
    throw LeadsToMissing("'{}' has no value yet and must be given", join_key_path(*found->place));
  }
  return value;
}

// A part inside a longer text. A container is written as it stands in the config, its references unresolved.
std::string Resolver::text_of(const Path& at, const Expression& part) {
  if (part.kind == Expression::Kind::node) {
    const std::optional<Found> found = find(target_of(at, part), true);
    if (found && found->place && !starts_with(at, *found->place)) {
      const Json* node = node_at(root_, *found->place);
      if (node != nullptr && node->is_structured()) return python_repr(*node);
    }
  }
  return python_str(expression_value(at, part));
}

Json Resolver::expression_value(const Path& at, const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::literal:
      return expression.value;
    case Expression::Kind::node:
      return node_value(at, expression);
    case Expression::Kind::resolver:
      return resolver_value(at, expression);
    case Expression::Kind::text: {
      std::string text;
      for (const Expression& part : expression.parts) text += text_of(at, part);
      return text;
    }
    case Expression::Kind::list: {
      Json list = Json::array();
      for (const Expression& item : expression.items) list.push_back(expression_value(at, item));
      return list;
    }
    case Expression::Kind::map: {
      Json map = Json::object();
      for (std::size_t i = 0; i < expression.items.size(); ++i) {
        map[expression.keys[i]] = expression_value(at, expression.items[i]);
      }
      return map;
    }
  }
  return nullptr;
}

Json Resolver::evaluate(const Path& path, std::string_view text) {
  return expression_value(path, parse_text(text));
}

std::optional<Node> interpolated_container(const Node& root, const std::string& path) {
  const Json tree = to_json(root);
  Resolver resolver(tree);
  std::optional<Path> place;
  try {
    place = resolver.locate(split_key_path(path), true);
  } catch (const ConfigError&) {
    return std::nullopt;  // it may become resolvable later; until then it is a plain value
  }
  if (!place) return std::nullopt;
  Node* found = const_cast<Node*>(&root);
  for (const std::string& part : *place) {
    found = find_child(*found, part);
    if (found == nullptr) return std::nullopt;
  }
  return found->is_container() ? std::optional<Node>(*found) : std::nullopt;
}

void resolve(Json& tree) {
  const Json original = tree;
  TreeResolver resolver(original, nullptr, {});
  resolver.resolve({}, tree);
  resolver.problems().throw_if_any();
}

void resolve(Composed& composed) {
  if (composed.resolved) return;
  const Json original = composed.tree;
  TreeResolver resolver(original, &composed.origins, context_of(composed));
  resolver.resolve({}, composed.tree);
  resolver.problems().throw_if_any();
  composed.resolved = true;
}

const Json* find_key(const Json& tree, std::string_view key_path) {
  return node_at(tree, split_key_path(key_path));
}

Json resolved_at(const Composed& composed, const std::string& key_path) {
  const Path path = split_key_path(key_path);
  const Json* node = node_at(composed.tree, path);
  if (node == nullptr) throw ConfigError("the config has no key '{}'", key_path);
  Json value = *node;
  if (composed.resolved) return value;
  TreeResolver resolver(composed.tree, &composed.origins, context_of(composed));
  resolver.resolve(path, value);
  resolver.problems().throw_if_any();
  return value;
}

}  // namespace moelab::config
