#include "core/text/byte_letters.h"

#include <array>
#include <cstdint>

#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr int no_byte = -1;

// Printable bytes of Latin-1 stand for themselves; the others take U+0100, U+0101, ... in the order of the
// bytes.
std::array<char32_t, 256> make_letter_of_byte() {
  std::array<char32_t, 256> table{};
  char32_t spare = 0x100;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    table[byte] = printable ? static_cast<char32_t>(byte) : spare++;
  }
  return table;
}

std::array<std::int16_t, 0x144> make_byte_of_letter() {
  std::array<std::int16_t, 0x144> table{};
  table.fill(no_byte);
  const auto letters = make_letter_of_byte();
  for (std::size_t byte = 0; byte < 256; ++byte) table[letters[byte]] = static_cast<std::int16_t>(byte);
  return table;
}

}  // namespace

std::optional<std::string> bytes_of_letters(std::string_view letters) {
  static const std::array<std::int16_t, 0x144> byte_of_letter = make_byte_of_letter();
  std::string bytes;
  bytes.reserve(letters.size());
  for (std::size_t at = 0; at < letters.size();) {
    const Utf8Char letter = decode_utf8(letters, at);
    if (!letter.valid || letter.code >= byte_of_letter.size() || byte_of_letter[letter.code] == no_byte) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(byte_of_letter[letter.code]));
    at += letter.length;
  }
  return bytes;
}

std::string letters_of_bytes(std::string_view bytes) {
  static const std::array<char32_t, 256> letter_of_byte = make_letter_of_byte();
  std::string letters;
  letters.reserve(2 * bytes.size());
  for (const char byte : bytes) append_utf8(letters, letter_of_byte[static_cast<unsigned char>(byte)]);
  return letters;
}

}  // namespace moelab::text
