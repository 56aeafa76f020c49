// Parses a chat template with jinja2's grammar.
#pragma once

#include <string_view>

#include "core/text/template_ast.h"

namespace moelab::text::jinja {

// The tree, with all variables bound to their slots. Throws TemplateError ("TemplateSyntaxError",
// "Unsupported", "Limit").
Program parse(std::string_view source, std::string_view name, const TemplateLimits& limits);

}  // namespace moelab::text::jinja
