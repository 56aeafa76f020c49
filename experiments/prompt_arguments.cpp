#include "experiments/prompt_arguments.h"

#include <array>
#include <iostream>
#include <iterator>
#include <optional>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/text/template.h"
#include "experiments/chat_prompt.h"
#include "experiments/thinking_family.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> kChatKeys = {"system", "enable_thinking", "reasoning_effort", "date"};

// Editors and `echo` end a text with a line break that is not meant.
std::string without_last_break(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::string standard_input() {
  std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  return without_last_break(std::move(text));
}

ChatOptions chat_options(const Arguments& arguments) {
  ChatOptions options;
  options.system = arguments.setting("system");
  if (arguments.settings.contains("enable_thinking")) {
    const std::string value = arguments.setting("enable_thinking");
    if (value != "true" && value != "false")
      throw ConfigError("enable_thinking: '{}' is neither true nor false", value);
    options.enable_thinking = value == "true";
  }
  options.reasoning_effort = arguments.setting("reasoning_effort");
  options.date = arguments.setting("date");
  return options;
}

std::string render_chat(const Arguments& arguments, const std::string& text, const fs::path& model_directory,
                        const text::ChatTemplate& chat) {
  text::ChatRequest request = chat_request(model_directory, chat_options(arguments));
  request.messages.push_back({"user", text});
  return chat.render(request);
}

// The template, or nothing where none was asked for and none can be read: then it would only have helped to
// guess.
std::optional<text::ChatTemplate> read_chat_template(const fs::path& model_directory, bool is_needed) {
  try {
    return text::ChatTemplate::read(model_directory);
  } catch (const FileError& problem) {
    if (is_needed)
      throw ConfigError("--chat: {}; leave --chat out to give the prompt as it is", problem.what());
  } catch (const text::TemplateError&) {
    if (is_needed) throw;
  }
  return std::nullopt;
}

std::string thinking_family(const Arguments& arguments, const fs::path& model_directory,
                            const std::optional<text::ChatTemplate>& chat, const text::Tokenizer& tokenizer) {
  if (arguments.settings.contains("thinking")) return arguments.setting("thinking");
  ThinkingHints hints;
  const fs::path config = model_directory / "config.json";
  hints.model_type = json_get_or<std::string>(read_json(config), "model_type", "", config.string());
  if (chat) hints.chat_template = chat->source();
  hints.has_think_tokens = tokenizer.token_id("<think>") && tokenizer.token_id("</think>");
  return guess_thinking_family(hints);
}

}  // namespace

std::vector<Flag> prompt_flags() {
  return {{"--prompt", "TEXT", "the text to go on from; - reads standard input"},
          {"--chat", "", "put the prompt through the model's chat template, as a user's message"}};
}

std::vector<KeySpec> prompt_settings() {
  return {{"prompt_file", "a file with the prompt, instead of --prompt"},
          {"system", "a system message (with --chat)"},
          {"enable_thinking", "true or false, for templates that ask (with --chat)"},
          {"reasoning_effort", "low, medium or high, for templates that ask (with --chat)"},
          {"date", "YYYY-MM-DD, for templates that ask (with --chat)"},
          {"thinking", "none, think, harmony, ernie or hunyuan (default: guessed from the model)"}};
}

std::string read_prompt_text(const Arguments& arguments) {
  if (arguments.has("--prompt") == arguments.settings.contains("prompt_file"))
    throw ConfigError(
        "give the text to go on from as --prompt TEXT, --prompt - or prompt_file=PATH (one of them)");
  if (!arguments.has("--chat"))
    for (const char* key : kChatKeys)
      if (arguments.settings.contains(key)) throw ConfigError("{}: does nothing without --chat", key);
  std::string text;
  if (arguments.settings.contains("prompt_file"))
    text = without_last_break(read_text(find_path(arguments.setting("prompt_file"))));
  else
    text = arguments.flag("--prompt", "") == "-" ? standard_input() : arguments.flag("--prompt", "");
  if (text.empty()) throw ConfigError("the prompt is empty; give the text to go on from");
  return text;
}

ModelPrompt make_prompt(const Arguments& arguments, const std::string& text, const fs::path& model_directory,
                        const text::Tokenizer& tokenizer) {
  const bool is_chat = arguments.has("--chat");
  const auto chat = read_chat_template(model_directory, is_chat);
  ModelPrompt prompt;
  prompt.thinking = text::thinking_format(thinking_family(arguments, model_directory, chat, tokenizer));
  prompt.text = is_chat ? render_chat(arguments, text, model_directory, *chat) : text;
  if (prompt.text.empty()) throw ConfigError("{}: the chat template gave no text", chat->name());
  prompt.tokens = tokenizer.encode(prompt.text, !is_chat);
  prompt.opened = opened_by_prompt(prompt.text, prompt.thinking);
  return prompt;
}

}  // namespace moelab::experiments
