// Translates the regular expressions of tokenizer.json (Oniguruma, Ruby's syntax) into PCRE2's with the same
// matches.
#pragma once

#include <string>
#include <string_view>

namespace moelab::text {

// The PCRE2 pattern (for UTF, UCP, MULTILINE, newline LF) that matches what `pattern` matches in
// `tokenizers`. Rewritten: \s and \S (PCRE2 counts U+180E as a space), \v, \uXXXX, scripts such as \p{Han}
// (PCRE2 would add script extensions), "{n,m}+" (a repeated repetition in Ruby, possessive in PCRE2) and
// [A&&[B]].
// Throws FileError naming `origin` for constructs whose meaning differs and that published tokenizers do not
// use: \w, \b, \h, named groups, back references, other set operations in classes, inline options other than
// (?i).
std::string pcre2_pattern(std::string_view pattern, std::string_view origin);

}  // namespace moelab::text
