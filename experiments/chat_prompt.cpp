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

Json to_json(const ChatOptions& options) {
  Json json = Json::object();
  if (!options.system.empty()) json["system"] = options.system;
  if (options.enable_thinking) json["enable_thinking"] = *options.enable_thinking;
  if (!options.reasoning_effort.empty()) json["reasoning_effort"] = options.reasoning_effort;
  if (!options.date.empty()) json["date"] = options.date;
  return json;
}

text::ChatRequest chat_request(const fs::path& model_directory, const ChatOptions& options) {
  text::ChatRequest request;
  request.bos_token = special_token(model_directory, "bos_token");
  request.eos_token = special_token(model_directory, "eos_token");
  request.pad_token = special_token(model_directory, "pad_token");
  if (!options.system.empty()) request.messages.push_back({"system", options.system});
  if (options.enable_thinking) request.variables["enable_thinking"] = *options.enable_thinking;
  if (!options.reasoning_effort.empty()) request.variables["reasoning_effort"] = options.reasoning_effort;
  if (!options.date.empty()) request.date = text::parse_template_date(options.date);
  return request;
}

}  // namespace moelab::experiments
