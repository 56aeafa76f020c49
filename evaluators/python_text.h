// Character classes of Python's `re` on UTF-8 text, because the published rules of extraction are written for
// it.
#pragma once

#include <cstddef>
#include <string_view>

namespace moelab::evaluators {

// What `\s` matches in a str pattern: White_Space and the four ASCII separators 0x1C to 0x1F.
bool is_python_space(char32_t code);

// What `\w` matches in a str pattern: letters and numbers of any script, and the underscore. Marks are none.
bool is_python_word(char32_t code);

// The first byte at or after `at` that is no white space; the text's size when there is none.
std::size_t skip_python_space(std::string_view text, std::size_t at);

// The text without white space at both ends, as str.strip() gives it.
std::string_view python_stripped(std::string_view text);

// Whether the bytes [begin, end), word characters themselves, have no word character beside them: `\b` on
// both sides.
bool stands_alone(std::string_view text, std::size_t begin, std::size_t end);

// The last `count` characters of a text, or all of it.
std::string_view last_characters(std::string_view text, std::size_t count);

}  // namespace moelab::evaluators
