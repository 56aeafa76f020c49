// A model's chat template around a user's message, with the special tokens that its directory names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/text/template.h"

namespace moelab::experiments {

// A special token ("bos_token" ...) as tokenizer_config.json or special_tokens_map.json has it: a text, or an
// object with the field "content". Nothing where neither names it.
std::optional<std::string> special_token(const std::filesystem::path& model_directory,
                                         const std::string& name);

// A request with the model's special tokens and no message.
text::ChatRequest chat_request(const std::filesystem::path& model_directory);

}  // namespace moelab::experiments
