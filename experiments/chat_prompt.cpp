#include "experiments/chat_prompt.h"

#include "core/base/json.h"

namespace moelab::experiments {

namespace fs = std::filesystem;

std::optional<std::string> special_token(const fs::path& model_directory, const std::string& name) {
  for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const fs::path path = model_directory / file;
    if (!fs::exists(path)) continue;
    const Json config = read_json(path);
    const auto found = config.find(name);
    if (found == config.end() || found->is_null()) continue;
    if (found->is_object()) return json_get<std::string>(*found, "content", path.string() + ": " + name);
    return json_get<std::string>(config, name, path.string());
  }
  return std::nullopt;
}

text::ChatRequest chat_request(const fs::path& model_directory) {
  text::ChatRequest request;
  request.bos_token = special_token(model_directory, "bos_token");
  request.eos_token = special_token(model_directory, "eos_token");
  request.pad_token = special_token(model_directory, "pad_token");
  return request;
}

}  // namespace moelab::experiments
