// Compositions, overrides, sweeps and scalars against what hydra-core and omegaconf made of the same input.
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "core/config/config.h"
#include "core/config/scalar.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace {

using moelab::ConfigError;
using moelab::Json;
using moelab::testing::data_dir;
using moelab::testing::ScratchDir;
namespace config = moelab::config;
namespace fs = std::filesystem;

Json reference(const std::string& name) { return moelab::read_json(data_dir() / "config" / name); }

// Numbers that JSON cannot hold are written as {"$float": text} by the reference, so ours are too.
Json encode(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>()))
    return {{"$float", config::python_float(value)}};
  if (!value.is_structured()) return value;
  Json copy = value;
  for (auto& item : copy) item = encode(item);
  return copy;
}

std::vector<fs::path> write_tree(const ScratchDir& scratch, const Json& directories) {
  std::vector<fs::path> paths;
  for (const Json& files : directories) {
    paths.push_back(scratch / ("d" + std::to_string(paths.size())));
    for (const auto& file : files.items()) {
      const fs::path path = paths.back() / file.key();
      fs::create_directories(path.parent_path());
      std::ofstream(path) << file.value().get<std::string>();
    }
  }
  return paths;
}

struct Trees {
  explicit Trees(const Json& all) {
    for (const auto& tree : all.items()) {
      scratch.emplace(tree.key(), std::make_unique<ScratchDir>());
      trees.emplace(tree.key(), config::Tree(write_tree(*scratch.at(tree.key()), tree.value())));
    }
  }
  std::map<std::string, std::unique_ptr<ScratchDir>> scratch;
  std::map<std::string, config::Tree> trees;
};

// 29 February 2024, 13:05:09 local time: what the reference's ${now:...} reads.
std::time_t test_time() {
  std::tm parts{};
  parts.tm_year = 124;
  parts.tm_mon = 1;
  parts.tm_mday = 29;
  parts.tm_hour = 13;
  parts.tm_min = 5;
  parts.tm_sec = 9;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

Json defaults_of(const config::Tree& tree, const std::string& name,
                 const std::vector<std::string>& overrides) {
  Json list = Json::array();
  for (const config::DefaultsEntry& entry : tree.defaults(name, overrides)) {
    if (entry.is_loaded && !entry.config.starts_with("hydra/")) list.push_back({entry.config, entry.package});
  }
  return list;
}

// The composition as the reference writes it, or "error: ..." with our text.
struct Ours {
  std::string tree, yaml, resolved, defaults;
  std::string error;
};

Ours compose(const config::Tree& tree, const Json& item) {
  Ours ours;
  const auto overrides = item["overrides"].get<std::vector<std::string>>();
  try {
    config::Composed composed = tree.compose(item["config"], overrides, {.allow_missing = true});
    ours.tree = encode(composed.tree).dump();
    ours.yaml = config::to_yaml(composed.tree);
    ours.resolved = "error";
    ours.defaults = defaults_of(tree, item["config"], overrides).dump();
    composed.now = test_time();
    config::resolve(composed);
    ours.resolved = encode(composed.tree).dump();
  } catch (const ConfigError& problem) {
    ours.error = problem.what();
  }
  return ours;
}

std::string kind_name(config::ParsedOverride::Kind kind) {
  switch (kind) {
    case config::ParsedOverride::Kind::set:
      return "CHANGE";
    case config::ParsedOverride::Kind::add:
      return "ADD";
    case config::ParsedOverride::Kind::force_add:
      return "FORCE_ADD";
    case config::ParsedOverride::Kind::remove:
      return "DEL";
    case config::ParsedOverride::Kind::extend:
      return "EXTEND_LIST";
  }
  return "";
}

void check_compositions(const Json& data) {
  ::setenv("MOELAB_TEST_SET", "from the environment", 1);
  ::unsetenv("MOELAB_TEST_UNSET");
  Trees trees(data["trees"]);
  for (const Json& item : data["cases"]) {
    const Json& expected = item["expected"];
    const std::string folder = (*trees.scratch.at(item["tree"]) / "d0").string();
    ::setenv("MOELAB_TEST_TREE", folder.c_str(), 1);
    const Ours ours = compose(trees.trees.at(item["tree"]), item);
    INFO(item["tree"] << "/" << item["config"] << " " << item["overrides"]
                      << "\nexpected: " << expected.dump() << "\nour error: " << ours.error);
    if (expected.contains("error") != item.contains("on_purpose")) {
      CHECK(ours.tree == "");
      CHECK(ours.error != "");
      continue;
    }
    CHECK(ours.tree == expected["tree"].dump());
    const Json& resolved = expected["resolved"];
    CHECK(ours.resolved == (resolved.is_string() ? resolved.get<std::string>() : resolved.dump()));
    CHECK(ours.defaults == expected["defaults"].dump());
    if (!expected["yaml"].is_null()) CHECK(ours.yaml == expected["yaml"].get<std::string>());
  }
}

void check_override(const Json& item) {
  const std::string text = item["text"];
  INFO(item.dump());
  if (item.contains("error") != item.contains("on_purpose")) {
    CHECK_THROWS_AS(config::parse_override(text), ConfigError);
    return;
  }
  config::ParsedOverride parsed;
  CHECK_NOTHROW(parsed = config::parse_override(text));
  if (item.contains("on_purpose")) return;
  CHECK(kind_name(parsed.kind) == item["kind"].get<std::string>());
  CHECK(parsed.key == item["key"].get<std::string>());
  CHECK(parsed.package == (item["package"].is_null() ? "" : item["package"].get<std::string>()));
  CHECK(parsed.is_sweep == item["is_sweep"].get<bool>());
  CHECK(encode(Json(parsed.values)).dump() == item["values"].dump());
  CHECK(Json(parsed.tags).dump() == item.value("tags", Json::array()).dump());
  const Json globs = item.value("globs", Json::array({Json::array(), Json::array()}));
  CHECK(Json(parsed.include).dump() == globs[0].dump());
  CHECK(Json(parsed.exclude).dump() == globs[1].dump());
}

TEST_CASE("Compositions are those of hydra-core, key by key, and fail where it fails", "[config]") {
  const Json data = reference("compositions.json");
  REQUIRE(data["cases"].size() >= 500);
  check_compositions(data);
}

TEST_CASE("Functions that hydra-core has since 1.4 do what they do there", "[config]") {
  const Json data = reference("newer.json");
  REQUIRE(data["cases"].size() >= 15);
  check_compositions(data);
  for (const Json& item : data["overrides"]) check_override(item);
}

TEST_CASE("A composed tree keeps every mandatory value that is not given an error", "[config]") {
  const Json data = reference("compositions.json");
  Trees trees(data["trees"]);
  int with_missing = 0;
  for (const Json& item : data["cases"]) {
    if (item["expected"].contains("error") || item.contains("on_purpose")) continue;
    const config::Tree& tree = trees.trees.at(item["tree"]);
    const auto overrides = item["overrides"].get<std::vector<std::string>>();
    INFO(item.dump());
    if (item["expected"]["missing"].empty()) {
      CHECK_NOTHROW(tree.compose(item["config"], overrides));
      continue;
    }
    ++with_missing;
    const std::string path = item["expected"]["missing"][0];
    CHECK_THROWS_WITH(tree.compose(item["config"], overrides),
                      Catch::Matchers::ContainsSubstring("'" + path + "' must be given"));
  }
  CHECK(with_missing > 3);
}

TEST_CASE("Override strings are parsed as hydra-core's grammar parses them", "[config]") {
  const Json data = reference("overrides.json");
  REQUIRE(data["cases"].size() >= 500);
  for (const Json& item : data["cases"]) check_override(item);
}

TEST_CASE("Sweeps become the jobs of hydra-core's basic sweeper, in its order", "[config]") {
  const Trees trees(Json{{"groups", reference("compositions.json")["trees"]["groups"]}});
  const Json data = reference("sweeps.json");
  REQUIRE(data["cases"].size() >= 50);
  for (const Json& item : data["cases"]) {
    const auto overrides = item["overrides"].get<std::vector<std::string>>();
    config::SweepOptions options;
    if (item.contains("tree")) options.tree = &trees.trees.at(item["tree"]);
    INFO(item.dump());
    if (item.contains("error")) {
      CHECK_THROWS_AS(config::split_sweep(overrides, options), ConfigError);
      continue;
    }
    CHECK(Json(config::split_sweep(overrides, options).jobs).dump() == item["jobs"].dump());
  }
}

TEST_CASE("Plain scalars are read as omegaconf's loader reads them", "[config]") {
  const ScratchDir scratch;
  const Json data = reference("scalars.json");
  REQUIRE(data["cases"].size() >= 100);
  const config::Tree tree({scratch.path()});
  int number = 0;
  for (const Json& item : data["cases"]) {
    const std::string name = "c" + std::to_string(number++);
    std::ofstream(scratch / (name + ".yaml")) << "a: " << item["text"].get<std::string>() << "\n";
    const auto read = [&] { return tree.compose(name, {}, {.allow_missing = true}).tree["a"]; };
    INFO(item.dump());
    if (item.contains("error")) {
      CHECK_THROWS_AS(read(), ConfigError);
      continue;
    }
    Json value;
    CHECK_NOTHROW(value = read());
    CHECK(encode(value).dump() == item["value"].dump());
    CHECK(value.is_number_float() == (item["type"] == "float"));
    CHECK(value.is_string() == (item["type"] == "str"));
  }
}

}  // namespace
