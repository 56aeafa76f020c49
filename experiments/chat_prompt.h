// What a model's chat template is given beside a user's message: options, and the special tokens of the
// model's directory.
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

// What a user says to the template. Empty: nothing.
struct ChatOptions {
  std::string system;                   // a system message
  std::optional<bool> enable_thinking;  // for templates that ask
  std::string reasoning_effort;         // for templates that ask: low, medium or high
  std::string date;                     // YYYY-MM-DD, for templates that ask

  bool operator==(const ChatOptions&) const = default;
};

// What is set, by name: {} for nothing.
Json to_json(const ChatOptions& options);

// A request with the model's special tokens, the options, and of messages the system's alone. Throws
// ConfigError for a date that is none.
text::ChatRequest chat_request(const std::filesystem::path& model_directory, const ChatOptions& options);

}  // namespace moelab::experiments
