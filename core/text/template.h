// Chat templates: turns a conversation into the text that a model was trained to read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/text/template_date.h"
#include "core/text/template_error.h"
#include "core/text/template_limits.h"

namespace moelab::text {

namespace jinja {
struct Program;
}

struct ChatMessage {
  // "system", "user", "assistant", "tool", or what the template knows.
  std::string role;
  // A text, null, or a list of parts such as {"type": "text", "text": ...}.
  Json content = nullptr;
  // What the model thought before the content; templates find it as `reasoning_content` and as `thinking`.
  std::optional<std::string> reasoning = std::nullopt;
  // A list of {"type": "function", "function": {"name", "arguments"}}; null for none.
  Json tool_calls = nullptr;
  // Further fields, such as "name" or "tool_call_id" of a tool's answer.
  Json fields = Json::object();
};

struct ChatRequest {
  std::vector<ChatMessage> messages;
  // A list of JSON schemas of functions; null for none.
  Json tools = nullptr;
  // Whether the text ends where the assistant's answer begins.
  bool add_generation_prompt = true;
  // Special tokens by name; absent ones are undefined in the template.
  std::optional<std::string> bos_token = std::nullopt;
  std::optional<std::string> eos_token = std::nullopt;
  std::optional<std::string> pad_token = std::nullopt;
  // enable_thinking, reasoning_effort, documents, ...; they win over the fields above.
  Json variables = Json::object();
  // What strftime_now gives; without one a template that asks for it is an error.
  std::optional<TemplateDate> date = std::nullopt;
};

class ChatTemplate {
 public:
  // `name` is for error messages. Throws TemplateError with the line and column.
  static ChatTemplate parse(std::string source, std::string name, const TemplateLimits& limits = {});

  // Reads chat_template.jinja of a model's directory, else the field "chat_template" of tokenizer_config.json
  // (a text or a list of {"name", "template"}), else that of chat_template.json. `which` picks one of
  // several; empty means "default". Throws FileError where there is none, TemplateError where it cannot be
  // parsed.
  static ChatTemplate read(const std::filesystem::path& model_directory, const std::string& which = "",
                           const TemplateLimits& limits = {});

  // The text that transformers' apply_chat_template gives. Throws TemplateError.
  std::string render(const ChatRequest& request) const;

  // Renders with exactly these variables (an object), without the conversation's.
  std::string render(const Json& variables, const std::optional<TemplateDate>& date = std::nullopt) const;

  const std::string& source() const { return source_; }
  const std::string& name() const { return name_; }

 private:
  ChatTemplate() = default;

  std::string source_;
  std::string name_;
  TemplateLimits limits_;
  std::shared_ptr<const jinja::Program> program_;
};

// The variables that a request gives to the template. Throws ConfigError for fields of the wrong shape.
Json chat_variables(const ChatRequest& request);

}  // namespace moelab::text
