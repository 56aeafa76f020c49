// The resolvers of OmegaConf and Hydra: ${oc.env:NAME,default}, ${now:%Y}, ${hydra:job.name} and so on.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>

#include "core/config/interpolation.h"
#include "core/config/interpolation_errors.h"
#include "core/config/nearest.h"
#include "core/config/scalar.h"
#include "core/config/yaml_reader.h"

namespace moelab::config {
namespace {

constexpr int max_own_trees = 20;

const std::string& text_argument(std::string_view resolver, const Json& value) {
  if (!value.is_string()) throw ConfigError("{} needs a text, got {}", resolver, value.dump());
  return value.get_ref<const std::string&>();
}

Json environment(const std::vector<Json>& arguments) {
  const std::string& name = text_argument("oc.env", arguments[0]);
  if (const char* value = std::getenv(name.c_str())) {
    if (invalid_utf8(value) != std::string_view::npos)
      throw ConfigError("the environment variable '{}' is not UTF-8", name);
    return std::string(value);
  }
  if (arguments.size() < 2) {
    throw ConfigError("the environment variable '{}' is not set and has no default", name);
  }
  return arguments[1].is_null() ? arguments[1] : Json(python_str(arguments[1]));
}

Json formatted_time(std::time_t now, const Json& pattern) {
  const std::string& format = text_argument("now", pattern);
  if (format.empty()) return "";
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 512> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), format.c_str(), &parts);
  return std::string(text.data(), length);
}

void check_count(std::string_view name, std::size_t count, std::size_t least, std::size_t most) {
  if (count >= least && count <= most) return;
  throw ConfigError("the resolver {} takes {} argument{}, got {}", name,
                    least == most ? std::to_string(least) : fmt::format("{} or {}", least, most),
                    most == 1 ? "" : "s", count);
}

}  // namespace

Json Resolver::resolver_value(const KeyPath& at, const Expression& call) {
  std::string name;
  for (const Expression& part : call.parts) {
    const Json value = expression_value(at, part);
    if (!value.is_string()) throw ConfigError("the name of a resolver must be a text, got {}", value.dump());
    name += value.get_ref<const std::string&>();
  }
  struct Known {
    std::string name;
    std::size_t least, most;
    std::function<Json(const std::vector<Json>&)> run;
  };
  const std::array<Known, 9> known{{
      {"oc.env", 1, 2, environment},
      {"oc.select", 1, 2, [&](const auto& given) { return select(at, given); }},
      {"oc.decode", 1, 1, [&](const auto& given) { return decode(at, given[0]); }},
      {"oc.create", 1, 1, [&](const auto& given) { return create(at, given[0]); }},
      {"oc.dict.keys", 1, 1, [&](const auto& given) { return dictionary(at, given[0], true); }},
      {"oc.dict.values", 1, 1, [&](const auto& given) { return dictionary(at, given[0], false); }},
      {"oc.deprecated", 1, 2, [&](const auto& given) { return deprecated(at, given[0]); }},
      {"now", 1, 1, [&](const auto& given) { return formatted_time(context_.now, given[0]); }},
      {"hydra", 1, 1, [&](const auto& given) { return hydra_value(given[0]); }},
  }};
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const Known& item) { return item.name == name; });
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const Known& item : known) names.push_back(item.name);
    throw ConfigError("there is no resolver '{}'; nearest first: {}", name,
                      join_names(nearest_first(name, names)));
  }
  std::vector<Json> arguments;
  for (const Expression& item : call.items) arguments.push_back(expression_value(at, item));
  check_count(name, arguments.size(), found->least, found->most);
  return found->run(arguments);
}

// The value of a key, or the default where there is none or it is ???.
Json Resolver::select(const KeyPath& at, const std::vector<Json>& arguments) {
  const Json fallback = arguments.size() > 1 ? arguments[1] : Json(nullptr);
  try {
    const std::optional<Found> found = find(target_of(at, text_argument("oc.select", arguments[0])), false);
    if (!found) return fallback;
    Json value = value_of(*found);
    return value == "???" ? fallback : value;
  } catch (const LeadsToMissing&) {
    return fallback;
  }
}

Json Resolver::deprecated(const KeyPath& at, const Json& key) {
  const std::optional<Found> found = find(target_of(at, text_argument("oc.deprecated", key)), false);
  if (!found) throw ConfigError("oc.deprecated: the key '{}' does not exist", key.get<std::string>());
  return value_of(*found);
}

Json Resolver::dictionary(const KeyPath& at, const Json& key, bool wants_keys) {
  const std::string_view name = wants_keys ? "oc.dict.keys" : "oc.dict.values";
  const KeyPath path = target_of(at, text_argument(name, key));
  const std::optional<Found> found = find(path, true);
  if (!found) throw ConfigError("{}: the key '{}' does not exist", name, join_key_path(path));
  Json list = Json::array();
  const Json* map = &found->computed;
  if (found->place) {
    map = &root_;
    for (const std::string& part : *found->place) map = json_child(*map, part);
  }
  if (!map->is_object()) throw ConfigError("{}: '{}' is no mapping", name, join_key_path(path));
  for (const auto& item : map->items()) {
    if (wants_keys) {
      list.push_back(item.key());
    } else if (found->place) {
      KeyPath child = *found->place;
      child.push_back(item.key());
      list.push_back(value_at(child));
      if (list.back() == "???") throw LeadsToMissing("'{}' has no value yet", join_key_path(child));
    } else {
      list.push_back(item.value());
    }
  }
  return list;
}

// A mapping or list made of its argument; a text is read as YAML. References inside it are resolved at its
// place.
Json Resolver::create(const KeyPath& at, const Json& value) {
  Json made = value;
  if (value.is_string()) {
    const std::string place = "oc.create";
    made = to_json(parse_yaml(value.get_ref<const std::string&>(), place));
    if (made.is_string()) made = Json::object({{made.get<std::string>(), nullptr}});
  }
  if (made.is_null()) return made;
  if (!made.is_structured()) throw ConfigError("oc.create makes mappings and lists, got {}", made.dump());
  if (depth_ >= max_own_trees) throw ConfigError("oc.create stands inside oc.create too often");
  Json tree = root_;
  Json* target = &tree;
  for (const std::string& part : at) {
    target = target->is_array() ? &(*target)[std::stoul(part)] : &(*target)[part];
  }
  *target = std::move(made);
  return Resolver(tree, context_, depth_ + 1).value_at(at);
}

Json Resolver::decode(const KeyPath& at, const Json& text) {
  if (text.is_null()) return text;
  return expression_value(at, parse_element(text_argument("oc.decode", text)));
}

// The value below the node 'hydra', which the composed tree itself does not have.
Json Resolver::hydra_value(const Json& path) {
  if (context_.hydra == nullptr || context_.hydra->is_null())
    throw ConfigError("there are no values of Hydra's own here");
  if (depth_ >= max_own_trees) throw ConfigError("the resolver hydra stands inside itself too often");
  Json whole = root_;
  whole["hydra"] = *context_.hydra;
  KeyPath full{"hydra"};
  for (std::string& part : split_key_path(text_argument("hydra", path))) full.push_back(std::move(part));
  Resolver inner(whole, context_, depth_ + 1);
  const std::optional<Found> found = inner.find(full, false);
  if (!found) return nullptr;
  Json value = inner.value_of(*found);
  return value == "???" ? Json(nullptr) : value;
}

}  // namespace moelab::config
