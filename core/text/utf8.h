// UTF-8 by hand where a library would copy: checking text in place and repairing a model's output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moelab::text {

struct Utf8Char {
  char32_t code = 0;
  // Bytes used; for an ill-formed sequence the length of its "maximal subpart" (Unicode 16, section 3.9),
  // >= 1.
  std::uint8_t length = 1;
  bool valid = false;
};

// The character that starts at byte `at`, which must lie inside `text`.
Utf8Char decode_utf8(std::string_view text, std::size_t at);

// The offset of the first byte that is not part of well-formed UTF-8, if there is one.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code);

// `bytes` with every ill-formed maximal subpart replaced by U+FFFD, as web browsers and Rust's standard
// library do.
std::string repair_utf8(std::string_view bytes);

// The Unicode property White_Space (PropList.txt; unchanged since Unicode 6.3, when U+180E left it).
bool is_white_space(char32_t code);

// How many bytes of white space a text (valid UTF-8) begins, ends with.
std::size_t white_space_at_start(std::string_view text);
std::size_t white_space_at_end(std::string_view text);

// Where the last character of a text begins, which must not be empty.
std::size_t last_character(std::string_view text);

}  // namespace moelab::text
