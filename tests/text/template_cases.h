// The reference cases of chat templates (tests/reference/text/make_template_cases.py explains them).
#pragma once

#include <string>

#include "core/base/json.h"
#include "core/text/template.h"
#include "tests/support/files.h"

namespace moelab::testing {

inline const Json& template_cases() {
  static const Json cases = read_json(data_dir() / "text" / "template_cases.json");
  return cases;
}

inline text::TemplateDate template_date() {
  return text::parse_template_date(template_cases().at("date").get<std::string>());
}

// What a rendering gave: the text, or "!" and the class of the error.
inline std::string outcome(const std::string& source, const Json& variables, std::string* message = nullptr) {
  try {
    return text::ChatTemplate::parse(source, "case").render(variables, template_date());
  } catch (const text::TemplateError& error) {
    if (message != nullptr) *message = error.what();
    return "!" + error.type();
  }
}

// A request of the reference as moelab's own.
inline text::ChatRequest chat_request(const Json& reference) {
  text::ChatRequest request;
  for (const Json& given : reference.at("messages")) {
    text::ChatMessage message;
    message.role = given.at("role").get<std::string>();
    message.content = given.at("content");
    for (const auto& [name, value] : given.items()) {
      if (name == "reasoning_content")
        message.reasoning = value.get<std::string>();
      else if (name == "tool_calls")
        message.tool_calls = value;
      else if (name != "role" && name != "content")
        message.fields[name] = value;
    }
    request.messages.push_back(message);
  }
  for (const auto& [name, value] : reference.at("variables").items()) {
    if (name == "tools")
      request.tools = value;
    else if (name == "add_generation_prompt")
      request.add_generation_prompt = value.get<bool>();
    else if (name == "bos_token")
      request.bos_token = value.get<std::string>();
    else if (name == "eos_token")
      request.eos_token = value.get<std::string>();
    else if (name == "pad_token")
      request.pad_token = value.get<std::string>();
    else
      request.variables[name] = value;
  }
  request.date = template_date();
  return request;
}

inline std::string outcome(const text::ChatTemplate& chat, const Json& reference,
                           std::string* message = nullptr) {
  try {
    return chat.render(chat_request(reference));
  } catch (const text::TemplateError& error) {
    if (message != nullptr) *message = error.what();
    return "!" + error.type();
  }
}

}  // namespace moelab::testing
