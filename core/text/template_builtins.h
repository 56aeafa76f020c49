// The functions that templates find in their environment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/template_arguments.h"
#include "core/text/template_date.h"

namespace moelab::text::jinja {

// What does not come from the conversation.
struct Environment {
  std::optional<TemplateDate> date;
};

// The function of this name, or nothing.
std::optional<Value> find_builtin(std::string_view name);

// Calls any of them but `namespace`.
Value call_builtin(std::string_view name, const CallArguments& arguments, const Environment& environment,
                   Budget& budget);

// namespace(...): names that begin with an underscore are a Fault "SecurityError".
std::shared_ptr<DictData> make_namespace(const CallArguments& arguments, Budget& budget);
void check_namespace_name(std::string_view name);

}  // namespace moelab::text::jinja
