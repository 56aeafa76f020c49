// The printable letters under which byte-level vocabularies write the 256 bytes (GPT-2's table: a space is
// "Ġ").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moelab::text {

// The bytes that a vocabulary entry stands for, or nothing when it has a character outside the 256 letters
// (such an entry can be an added token, but never the result of a merge).
std::optional<std::string> bytes_of_letters(std::string_view letters);

// The letters of bytes: the inverse.
std::string letters_of_bytes(std::string_view bytes);

}  // namespace moelab::text
