// The methods of str, list, tuple and dict that templates may call.
#pragma once

#include <string>

#include "core/text/template_arguments.h"

namespace moelab::text::jinja {

// Calls self.name(arguments). Throws a Fault with Python's exception class, or "Unsupported".
Value call_method(const Value& self, const std::string& name, const CallArguments& arguments, Budget& budget);

}  // namespace moelab::text::jinja
