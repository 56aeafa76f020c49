#include "evaluators/python_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "core/text/unicode_forms.h"
#include "core/text/utf8.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kSigma = "\u03a3";  // the capital letter

char32_t folded_to_ascii(char32_t code) {
  if (code >= 'A' && code <= 'Z') return code - 'A' + 'a';
  if (code == 0x17F) return 's';
  if (code == 0x130 || code == 0x131) return 'i';
  return code == 0x212A ? 'k' : code;
}

utf8proc_category_t category_at(std::string_view text, std::size_t at) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(text::decode_utf8(text, at).code));
}

// Unicode's Cased, less the few that are no letters of that category.
bool is_cased_at(std::string_view text, std::size_t at) {
  if (text.substr(at).starts_with(kSigma)) return true;  // the likeliest neighbour of another one
  const auto category = category_at(text, at);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Unicode's Case_Ignorable: marks, formats, modifiers, and the signs of WordBreak.txt that may stand in a
// word.
bool is_case_ignorable_at(std::string_view text, std::size_t at) {
  static constexpr std::u32string_view kInWords =
      U"'.:^`"
      U"\u00a8\u00ad\u00af\u00b4\u00b7\u00b8\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55"
      U"\uff07\uff0e\uff1a";
  if (static_cast<unsigned char>(text[at]) < 0x80)
    return std::string_view("'.:^`").find(text[at]) != std::string_view::npos;
  if (text.substr(at).starts_with(kSigma)) return false;
  switch (category_at(text, at)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return kInWords.find(text::decode_utf8(text, at).code) != std::u32string_view::npos;
  }
}

// The rule Final_Sigma of SpecialCasing.txt: a cased letter before it and none behind it.
bool is_final_sigma(std::string_view text, std::size_t at) {
  if (text.substr(at + kSigma.size()).starts_with(kSigma)) return false;
  std::string_view before = text.substr(0, at);
  while (!before.empty() && is_case_ignorable_at(text, text::last_character(before)))
    before = before.substr(0, text::last_character(before));
  if (before.empty() || !is_cased_at(text, text::last_character(before))) return false;
  std::size_t behind = at + kSigma.size();
  while (behind < text.size() && is_case_ignorable_at(text, behind))
    behind += text::decode_utf8(text, behind).length;
  return behind == text.size() || !is_cased_at(text, behind);
}

// A text without a capital sigma, of which most are ASCII.
void append_lower(std::string& lowered, std::string_view text) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(text.begin(), text.end(), is_ascii)) {
    lowered += text::lower_case(text);
    return;
  }
  for (const char c : text) lowered += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

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

bool is_python_digit(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_ND;
}

std::size_t match_ignoring_case(std::string_view text, std::size_t at, std::string_view word) {
  for (const char wanted : word) {
    if (at >= text.size()) return std::string_view::npos;
    const auto byte = static_cast<unsigned char>(text[at]);
    const text::Utf8Char next = byte < 0x80 ? text::Utf8Char{byte, 1, true} : text::decode_utf8(text, at);
    if (!next.valid || folded_to_ascii(next.code) != static_cast<char32_t>(wanted))
      return std::string_view::npos;
    at += next.length;
  }
  return at;
}

bool is_python_end(std::string_view text, std::size_t at) {
  return at == text.size() || (at + 1 == text.size() && text[at] == '\n');
}

std::string python_lower(std::string_view text) {
  std::string lowered;
  lowered.reserve(text.size());
  std::size_t done = 0;
  for (std::size_t at = text.find(kSigma); at != std::string_view::npos; at = text.find(kSigma, at + 1)) {
    append_lower(lowered, text.substr(done, at - done));
    lowered += is_final_sigma(text, at) ? "\u03c2" : "\u03c3";
    done = at + kSigma.size();
  }
  append_lower(lowered, text.substr(done));
  return lowered;
}

bool is_punctuation(char32_t code) {
  const auto look_up = [](char32_t each) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(each));
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
  };
  static const auto of_plane = [&] {  // the basic plane, looked up once
    std::array<bool, 0x10000> is_one{};
    for (char32_t each = 0; each < is_one.size(); ++each) is_one[each] = look_up(each);
    return is_one;
  }();
  return code < of_plane.size() ? of_plane[code] : look_up(code);
}

std::size_t skip_python_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] > ' ' && text[at] <= '~') break;  // most bytes by far
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
