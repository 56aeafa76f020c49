#include "core/train/save.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/model/safetensors.h"

namespace moelab::train {
namespace {

// The content of the added token with this id, or nothing.
Json token_content(const Json& tokenizer, const Json& id) {
  for (const Json& token : tokenizer.value("added_tokens", Json::array()))
    if (token.value("id", -1) == id) return token.at("content");
  return nullptr;
}

Json tokenizer_config(const Json& tokenizer, const Json& config) {
  Json out = {{"tokenizer_class", "PreTrainedTokenizerFast"},
              {"clean_up_tokenization_spaces", false},
              {"model_max_length", config.at("max_position_embeddings")}};
  for (const char* kind : {"bos", "eos", "pad"}) {
    const auto id = config.find(fmt::format("{}_token_id", kind));
    if (id == config.end() || id->is_null()) continue;
    const Json content = token_content(tokenizer, *id);
    if (!content.is_null()) out[fmt::format("{}_token", kind)] = content;
  }
  return out;
}

Json generation_config(const Json& config) {
  Json out = {{"do_sample", false}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"})
    if (config.contains(key)) out[key] = config.at(key);
  return out;
}

}  // namespace

void write_json(const std::filesystem::path& path, const Json& value) { write_atomic(path, value.dump(2) + "\n"); }

void make_directory(const std::filesystem::path& directory) {
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  if (problem) throw FileError("{}: cannot make the folder: {}", directory.string(), problem.message());
}

void save_model(const std::filesystem::path& directory, const Parameters& parameters, const Json& config,
                const std::filesystem::path& tokenizer, const std::string& dtype) {
  make_directory(directory);
  const at::ScalarType type = dtype == "float32" ? at::kFloat : at::kBFloat16;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, leaf] : parameters.named()) tensors.emplace_back(name, leaf.detach().to(type));
  Json saved = config;
  saved.erase("torch_dtype");
  saved["dtype"] = dtype;
  const std::string tokenizer_text = read_text(tokenizer);
  model::write_safetensors(directory / "model.safetensors", tensors);
  write_json(directory / "config.json", saved);
  write_atomic(directory / "tokenizer.json", tokenizer_text);
  write_json(directory / "tokenizer_config.json",
             tokenizer_config(parse_json(tokenizer_text, tokenizer.string()), config));
  write_json(directory / "generation_config.json", generation_config(config));
}

void save_truth(const std::filesystem::path& directory, const std::string& verdict, const PlantingOptions& planting) {
  Json planted = Json::object();
  for (const PlantedExpert& expert : planting.experts)
    for (const std::int64_t layer : planting.layers)
      planted[expert.domain].push_back({{"layer", layer}, {"expert", expert.expert}, {"kind", expert.kind}});
  write_json(directory / "planted.json", {{"verdict", verdict}, {"planted", planted}});
}

void copy_truth(const std::filesystem::path& model_dir, const std::filesystem::path& directory,
                const std::string& verdict) {
  const auto path = model_dir / "planted.json";
  if (!std::filesystem::exists(path)) return;
  Json truth = read_json(path);
  if (!verdict.empty()) truth["verdict"] = verdict;
  write_json(directory / "planted.json", truth);
}

}  // namespace moelab::train
