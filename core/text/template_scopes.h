// Decides, before anything is evaluated, which variable every name in a template means.
#pragma once

#include <string_view>

#include "core/text/template_ast.h"

namespace moelab::text::jinja {

// Fills all scopes and slots of a program by jinja2's rules: a name belongs to the scope that sets it
// anywhere, starts there with the value of the scope outside or of the caller's variables, and a plain {% set
// %} that comes first in its scope hides them until it has run. Throws TemplateError
// ("TemplateAssertionError": setting `loop` in a loop, a filter or test that jinja2 does not know, where
// jinja2 looks for it before rendering).
void bind_names(Program& program, std::string_view template_name);

}  // namespace moelab::text::jinja
