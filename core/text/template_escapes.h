// The backslash escapes of string literals in templates.
#pragma once

#include <string>
#include <string_view>

namespace moelab::text::jinja {

// The characters that a literal (without its quotes) stands for, as Python's codec "unicode-escape" reads
// them. Throws a Fault: "TemplateSyntaxError" for a broken escape, "Unsupported" for \N{...} and surrogates.
std::string decode_escapes(std::string_view literal);

}  // namespace moelab::text::jinja
