#include "core/text/template.h"

#include "core/text/template_interpreter.h"
#include "core/text/template_parser.h"
#include "core/text/utf8.h"

namespace moelab::text {
namespace {

Json message_fields(const ChatMessage& message, std::size_t index) {
  if (!message.fields.is_object())
    throw ConfigError("message {} of the conversation: its further fields are not an object", index);
  if (!message.tool_calls.is_null() && !message.tool_calls.is_array())
    throw ConfigError("message {} of the conversation: its tool calls are not a list", index);
  Json fields = Json::object();
  // transformers lets templates find the reasoning under two names.
  if (message.reasoning) fields["thinking"] = *message.reasoning;
  fields["role"] = message.role;
  fields["content"] = message.content;
  if (!message.tool_calls.is_null()) fields["tool_calls"] = message.tool_calls;
  for (const auto& [name, value] : message.fields.items()) fields[name] = value;
  if (message.reasoning) fields["reasoning_content"] = *message.reasoning;
  return fields;
}

}  // namespace

Json chat_variables(const ChatRequest& request) {
  if (!request.variables.is_object())
    throw ConfigError("the extra variables of a chat template are not an object");
  if (!request.tools.is_null() && !request.tools.is_array())
    throw ConfigError("the tools of a conversation are not a list");
  Json variables = Json::object();
  variables["messages"] = Json::array();
  for (std::size_t i = 0; i < request.messages.size(); ++i)
    variables["messages"].push_back(message_fields(request.messages[i], i));
  variables["tools"] = request.tools;
  variables["documents"] = nullptr;
  variables["add_generation_prompt"] = request.add_generation_prompt;
  if (request.bos_token) variables["bos_token"] = *request.bos_token;
  if (request.eos_token) variables["eos_token"] = *request.eos_token;
  if (request.pad_token) variables["pad_token"] = *request.pad_token;
  for (const auto& [name, value] : request.variables.items()) variables[name] = value;
  return variables;
}

ChatTemplate ChatTemplate::parse(std::string source, std::string name, const TemplateLimits& limits) {
  if (const auto bad = first_invalid_utf8(source))
    throw TemplateError(name, {}, "TemplateSyntaxError", fmt::format("byte {} is not valid UTF-8", *bad));
  ChatTemplate chat;
  chat.program_ = std::make_shared<const jinja::Program>(jinja::parse(source, name, limits));
  chat.source_ = std::move(source);
  chat.name_ = std::move(name);
  chat.limits_ = limits;
  return chat;
}

std::string ChatTemplate::render(const ChatRequest& request) const {
  return render(chat_variables(request), request.date);
}

std::string ChatTemplate::render(const Json& variables, const std::optional<TemplateDate>& date) const {
  if (!variables.is_object()) throw ConfigError("the variables of a chat template are not an object");
  jinja::Budget budget(limits_);
  jinja::Variables values;
  try {
    for (const auto& [name, value] : variables.items()) values.emplace(name, jinja::from_json(value, budget));
  } catch (const jinja::Fault& fault) {
    throw TemplateError(name_, {}, fault.type, fault.message);
  }
  const jinja::Environment environment{date};
  return jinja::Interpreter(*program_, name_, std::move(values), budget, environment).run();
}

}  // namespace moelab::text
