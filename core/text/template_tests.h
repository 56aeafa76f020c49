// jinja2's tests ("value is name").
#pragma once

#include <string_view>

#include "core/text/template_arguments.h"

namespace moelab::text::jinja {

// Throws a Fault: "TemplateRuntimeError" for a name that jinja2 does not know, else Python's exception class.
bool apply_test(std::string_view name, const Value& value, const CallArguments& arguments, Budget& budget);

bool is_jinja_test(std::string_view name);

}  // namespace moelab::text::jinja
