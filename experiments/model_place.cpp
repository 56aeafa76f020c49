#include "experiments/model_place.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/json.h"
#include "core/config/nearest.h"
#include "experiments/hub_cache.h"
#include "experiments/study_fields.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

bool is_existing(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

ModelPlace place_of_option(const config::Tree& tree, const std::string& option) {
  const config::Composed composed = tree.compose("model/" + option, {});
  const ModelFields fields = model_binder().bind(composed, "model");
  ModelPlace place;
  place.path = model_path(fields.path, fields.hub_id, fields.revision);
  place.option = option;
  place.hub_id = fields.hub_id;
  place.revision = fields.revision;
  place.files = fields.files.empty() ? usual_files() : fields.files;
  place.sampling = fields.sampling;
  place.chat = fields.chat;
  return place;
}

// The option of a hub id, so that its advice and revision hold for the id too.
std::optional<ModelPlace> place_of_id(const config::Tree& tree, const std::string& hub_id) {
  for (const std::string& option : tree.options("model")) {
    const config::Composed composed = tree.compose("model/" + option, {});
    const Json* const id = config::find_key(composed.tree, "model.hub_id");
    if (id != nullptr && *id == hub_id) return place_of_option(tree, option);
  }
  return std::nullopt;
}

// The folder of configs may be missing: a hub id needs none.
std::optional<config::Tree> find_tree(const Arguments& arguments) {
  try {
    return config::Tree(config_directories(arguments));
  } catch (const ConfigError&) {
    if (arguments.has("--config-dir")) throw;
    return std::nullopt;
  }
}

void add_setting(Arguments& arguments, const char* key, const std::string& value) {
  if (!value.empty()) arguments.settings.emplace(key, value);
}

}  // namespace

std::string ModelPlace::described() const {
  if (!hub_id.empty()) return fmt::format("{} at {}", hub_id, revision);
  return option.empty() ? path.string() : option;
}

const std::vector<std::string>& usual_files() {
  static const std::vector<std::string> patterns = {
      "config.json",     "generation_config.json",  "tokenizer*",
      "chat_template.*", "special_tokens_map.json", "model*.safetensors*"};
  return patterns;
}

fs::path model_path(const fs::path& path, const std::string& hub_id, const std::string& revision) {
  if (!path.empty() && is_existing(find_path(path))) return find_path(path);
  return cached_snapshot(hub_cache_directory(), hub_id, revision).value_or(fs::path());
}

ModelPlace find_model(const Arguments& arguments, const std::string& model) {
  ModelPlace place;
  place.path = find_path(model);
  if (is_existing(place.path)) return place;
  const std::optional<config::Tree> tree = find_tree(arguments);
  const std::vector<std::string> names = tree ? tree->options("model") : std::vector<std::string>{};
  if (std::find(names.begin(), names.end(), model) != names.end()) return place_of_option(*tree, model);
  if (!is_hub_id(model))
    throw ConfigError(
        "'{}' is neither a folder, nor an option of configs/model, nor an id org/name of the hub{}", model,
        config::did_you_mean(model, names));
  if (tree)
    if (auto known = place_of_id(*tree, model)) return *known;
  place.hub_id = model;
  place.files = usual_files();
  place.path = model_path({}, model, place.revision);
  return place;
}

fs::path model_directory(const Arguments& arguments, const std::string& model) {
  return model_directory(find_model(arguments, model), model);
}

fs::path model_directory(const ModelPlace& place, const std::string& model) {
  if (!place.path.empty()) return place.path;
  if (place.hub_id.empty())
    throw ConfigError("configs/model/{}.yaml: its path is not here, and it has no hub_id to fetch it from",
                      place.option);
  throw ConfigError("{} is not on this machine; fetch it with: moelab fetch {}", place.described(), model);
}

std::string advice_text(const SamplingAdvice& advice) {
  if (advice.temperature && *advice.temperature == 0) return "the likeliest token";
  std::vector<std::string> parts;
  if (advice.temperature) parts.push_back(fmt::format("temperature {}", *advice.temperature));
  if (advice.top_p) parts.push_back(fmt::format("top_p {}", *advice.top_p));
  if (advice.top_k) parts.push_back(fmt::format("top_k {}", *advice.top_k));
  if (advice.min_p) parts.push_back(fmt::format("min_p {}", *advice.min_p));
  return fmt::format("{}", fmt::join(parts, ", "));
}

SamplingAdvice published_advice(const fs::path& folder) {
  const fs::path path = folder / "generation_config.json";
  if (!fs::exists(path)) return {};
  const Json config = read_json(path);
  SamplingAdvice advice;
  if (!json_get_or<bool>(config, "do_sample", false, path.string())) {
    if (config.contains("do_sample")) advice.temperature = 0;
    return advice;
  }
  advice.temperature = json_get_or<double>(config, "temperature", 1.0, path.string());
  const auto says = [&](const char* key) { return config.contains(key) && !config.at(key).is_null(); };
  if (says("top_p")) advice.top_p = json_get<double>(config, "top_p", path.string());
  if (says("top_k")) advice.top_k = json_get<std::int64_t>(config, "top_k", path.string());
  if (says("min_p")) advice.min_p = json_get<double>(config, "min_p", path.string());
  return advice;
}

AdvisedArguments with_advice(const Arguments& arguments, const ModelPlace& place) {
  AdvisedArguments advised{arguments, ""};
  Arguments& all = advised.arguments;
  add_setting(all, "thinking", place.chat.thinking);
  if (arguments.has("--chat")) {
    add_setting(all, "reasoning_effort", place.chat.reasoning_effort);
    if (place.chat.enable_thinking)
      add_setting(all, "enable_thinking", *place.chat.enable_thinking ? "true" : "false");
  }
  const SamplingAdvice& sampling = place.sampling;
  for (const char* key : {"greedy", "temperature", "top_p", "top_k", "min_p"})
    if (arguments.settings.contains(key)) return advised;
  if (sampling.is_empty()) return advised;
  advised.note =
      fmt::format("choosing tokens as configs/model/{} recommends: {}", place.option, advice_text(sampling));
  if (sampling.temperature && *sampling.temperature == 0) return advised;
  advised.note += "; greedy=true takes the likeliest token";
  if (sampling.temperature) add_setting(all, "temperature", fmt::to_string(*sampling.temperature));
  if (sampling.top_p) add_setting(all, "top_p", fmt::to_string(*sampling.top_p));
  if (sampling.top_k) add_setting(all, "top_k", fmt::to_string(*sampling.top_k));
  if (sampling.min_p) add_setting(all, "min_p", fmt::to_string(*sampling.min_p));
  return advised;
}

}  // namespace moelab::experiments
