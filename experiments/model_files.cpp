#include "experiments/model_files.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/base/files.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIndexFile = "model.safetensors.index.json";

std::set<std::string> shard_names(const fs::path& folder) {
  if (!fs::exists(folder / kIndexFile)) return {"model.safetensors"};
  const auto file = (folder / kIndexFile).string();
  try {
    std::set<std::string> names;
    const auto index = nlohmann::json::parse(read_text(file));
    for (const auto& [tensor, name] : index.at("weight_map").items()) names.insert(name.get<std::string>());
    return names;
  } catch (const nlohmann::json::exception& problem) {
    throw FileError("{}: no index of shards with a 'weight_map' of texts ({})", file, problem.what());
  }
}

void note(ModelFiles& files, const fs::path& folder, const std::string& name, bool is_needed) {
  if (fs::exists(folder / name))
    files.present.push_back(name);
  else
    (is_needed ? files.missing : files.optional_missing).push_back(name);
}

}  // namespace

ModelFiles find_files(const fs::path& folder) {
  ModelFiles files;
  note(files, folder, "config.json", true);
  // Some publishers give a tiktoken file instead.
  const bool has_tiktoken = fs::exists(folder / "tiktoken.model");
  note(files, folder, has_tiktoken ? "tiktoken.model" : "tokenizer.json", true);
  for (const char* name : {"tokenizer_config.json", "generation_config.json", "chat_template.jinja"})
    note(files, folder, name, false);
  for (const std::string& name : shard_names(folder)) {
    ++files.shards;
    files.shards_present += fs::exists(folder / name) ? 1 : 0;
    if (!fs::exists(folder / name)) files.missing.push_back(name);
  }
  if (files.shards == 1 && files.shards_present == 1) files.present.push_back(*shard_names(folder).begin());
  return files;
}

}  // namespace moelab::experiments
