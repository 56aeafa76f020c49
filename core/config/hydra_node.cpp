#include "core/config/hydra_node.h"

#include <algorithm>
#include <filesystem>

#include "core/config/interpolation.h"

namespace moelab::config {
namespace {

namespace fs = std::filesystem;

void merge(Json& target, const Json& source) {
  for (const auto& item : source.items()) {
    Json& value = target[item.key()];
    if (value.is_object() && item.value().is_object()) {
      merge(value, item.value());
    } else {
      value = item.value();
    }
  }
}

std::string joined_overrides(const std::vector<std::string>& task) {
  std::vector<std::string> sorted = task;
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const std::string& one : sorted) text += (text.empty() ? "" : ",") + one;
  return text;
}

}  // namespace

bool is_hydras_own(std::string_view key) {
  return key == "hydra" || key.starts_with("hydra.") || key.starts_with("hydra/");
}

Json hydra_node(const Json& own, const HydraFacts& facts) {
  std::vector<std::string> task, hydra;
  for (const std::string& text : facts.overrides) {
    const std::size_t key = std::min(text.find_first_not_of("+~"), text.size());
    (is_hydras_own(text.substr(key, text.find_first_of("=@", key) - key)) ? hydra : task).push_back(text);
  }
  std::error_code ignored;
  Json node{{"run", {{"dir", "outputs/${now:%Y-%m-%d}/${now:%H-%M-%S}"}}},
            {"sweep", {{"dir", "multirun/${now:%Y-%m-%d}/${now:%H-%M-%S}"}, {"subdir", "${hydra.job.num}"}}},
            {"overrides", {{"hydra", hydra}, {"task", task}}},
            {"job",
             {{"name", fs::path(facts.config_name).filename().string()},
              {"override_dirname", joined_overrides(task)},
              {"id", "???"},
              {"num", "???"},
              {"config_name", facts.config_name}}},
            {"runtime", {{"cwd", fs::current_path(ignored).string()}, {"choices", facts.choices}}}};
  if (own.is_object()) merge(node, own);
  return node;
}

std::vector<fs::path> search_path(const Json& own, std::vector<std::string>& warnings) {
  std::vector<fs::path> paths;
  if (!own.is_object() || !own.contains("searchpath") || own["searchpath"].is_null()) return paths;
  Json tree{{"hydra", own}};
  const Json list = Resolver(tree).value_at({"hydra", "searchpath"});
  const bool fits = list.is_array() &&
                    std::all_of(list.begin(), list.end(), [](const Json& item) { return item.is_string(); });
  if (!fits) throw ConfigError("hydra.searchpath must be a list of texts, got {}", list.dump());
  for (const Json& item : list) {
    std::string text = item.get<std::string>();
    if (text.starts_with("file://")) text.erase(0, 7);
    std::error_code ignored;
    if (fs::is_directory(text, ignored)) {
      paths.emplace_back(text);
    } else {
      warnings.push_back(fmt::format("hydra.searchpath: '{}' is no directory here and is left out", text));
    }
  }
  return paths;
}

}  // namespace moelab::config
