// What can go wrong with a chat template: the exception that callers see and the fault that the interpreter
// throws.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace moelab::text {

// A place in a template; both count from 1, columns in characters.
struct TemplatePosition {
  int line = 1;
  int column = 1;
};

// A template that cannot be parsed or rendered. The text reads "name:line:column: type: message".
class TemplateError : public Error {
 public:
  TemplateError(std::string_view name, TemplatePosition where, std::string type, std::string message)
      : Error("{}:{}:{}: {}: {}", name, where.line, where.column, type, message),
        where_(where),
        type_(std::move(type)),
        message_(std::move(message)) {}

  TemplatePosition where() const { return where_; }

  // The class of the exception that Python's jinja2 raises for the same mistake ("TemplateSyntaxError",
  // "UndefinedError", "TypeError", ...; "TemplateError" is raise_exception), or "Unsupported" for what this
  // interpreter does not do, or "Limit".
  const std::string& type() const { return type_; }

  // The message alone; for raise_exception the text that the template gave.
  const std::string& message() const { return message_; }

 private:
  TemplatePosition where_;
  std::string type_;
  std::string message_;
};

namespace jinja {

// A mistake without its place, which the evaluator adds.
struct Fault {
  std::string type;
  std::string message;
};

template <typename... Args>
[[noreturn]] void fail(std::string type, fmt::format_string<Args...> format, Args&&... args) {
  throw Fault{std::move(type), fmt::format(format, std::forward<Args>(args)...)};
}

template <typename... Args>
[[noreturn]] void type_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Fault{"TypeError", fmt::format(format, std::forward<Args>(args)...)};
}

template <typename... Args>
[[noreturn]] void unsupported(fmt::format_string<Args...> format, Args&&... args) {
  throw Fault{"Unsupported", fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace jinja
}  // namespace moelab::text
