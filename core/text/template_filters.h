// jinja2's filters, with `tojson` as Hugging Face defines it.
#pragma once

#include <string_view>

#include "core/text/template_arguments.h"

namespace moelab::text::jinja {

// "input|name(arguments)". Throws a Fault: "TemplateRuntimeError" for a name that jinja2 does not know,
// "Unsupported" for one that only moelab does not, else Python's exception class.
Value apply_filter(std::string_view name, const Value& input, const CallArguments& arguments, Budget& budget);

// Whether jinja2 has a filter of this name, also one that moelab lacks.
bool is_jinja_filter(std::string_view name);

}  // namespace moelab::text::jinja
