// Whether a macro's body refers to one of the special names `caller`, `varargs`, `kwargs`.
#pragma once

#include <string_view>

#include "core/text/template_ast.h"

namespace moelab::text::jinja {

// True when `name` is read somewhere in `body`, nested macros included, before the text sets a variable of
// that name.
bool reads_name(Body& body, std::string_view name);

}  // namespace moelab::text::jinja
