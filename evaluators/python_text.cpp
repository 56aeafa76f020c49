#include "evaluators/python_text.h"

#include <utf8proc.h>

#include "core/text/utf8.h"

namespace moelab::evaluators {

bool is_python_space(char32_t code) { return text::is_white_space(code) || (code >= 0x1C && code <= 0x1F); }

bool is_python_word(char32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return code == U'_';
  }
}

std::size_t skip_python_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const text::Utf8Char next = text::decode_utf8(text, at);
    if (!next.valid || !is_python_space(next.code)) break;
    at += next.length;
  }
  return at;
}

std::string_view python_stripped(std::string_view text) {
  text.remove_prefix(skip_python_space(text, 0));
  while (!text.empty()) {
    const std::size_t last = text::last_character(text);
    const text::Utf8Char code = text::decode_utf8(text, last);
    if (!code.valid || !is_python_space(code.code)) break;
    text = text.substr(0, last);
  }
  return text;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const auto is_word_at = [&](std::size_t at) {
    const text::Utf8Char code = text::decode_utf8(text, at);
    return code.valid && is_python_word(code.code);
  };
  if (begin > 0 && is_word_at(text::last_character(text.substr(0, begin)))) return false;
  return end == text.size() || !is_word_at(end);
}

std::string_view last_characters(std::string_view text, std::size_t count) {
  std::string_view rest = text;
  for (; count > 0 && !rest.empty(); --count) rest = rest.substr(0, text::last_character(rest));
  return text.substr(rest.size());
}

}  // namespace moelab::evaluators
