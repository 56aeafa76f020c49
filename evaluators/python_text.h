// Character classes of Python's `re` on UTF-8 text, because the published rules of extraction are written for
// it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moelab::evaluators {

// What `\s` matches in a str pattern: White_Space and the four ASCII separators 0x1C to 0x1F.
bool is_python_space(char32_t code);

// What `\w` matches in a str pattern: letters and numbers of any script, and the underscore. Marks are none.
bool is_python_word(char32_t code);

// What `\d` matches in a str pattern: decimal digits of any script.
bool is_python_digit(char32_t code);

// Whether `word` (lower-case ASCII) stands at byte `at`, as `(?i)` compares it: U+017F counts as an s, U+0130
// and U+0131 as an i, U+212A as a k. Returns the byte behind it, or npos.
std::size_t match_ignoring_case(std::string_view text, std::size_t at, std::string_view word);

// Whether `$` matches at byte `at` without MULTILINE: at the end and before a final newline.
bool is_python_end(std::string_view text, std::size_t at);

// The first byte at or after `at` that is no white space; the text's size when there is none.
std::size_t skip_python_space(std::string_view text, std::size_t at);

// The text without white space at both ends, as str.strip() gives it.
std::string_view python_stripped(std::string_view text);

// str.lower(): every character's full lower case, and the final sigma at a word's end.
std::string python_lower(std::string_view text);

// Whether a character's general category is one of punctuation (P*).
bool is_punctuation(char32_t code);

// Whether the bytes [begin, end), word characters themselves, have no word character beside them: `\b` on
// both sides.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end);

// The last `count` characters of a text, or all of it.
std::string_view last_characters(std::string_view text, std::size_t count);

}  // namespace moelab::evaluators
