// Upper, lower and title case, and the classes of characters, of template_strings.h.
#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "core/text/template_error.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

utf8proc_category_t category_of(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool is_letter(char32_t c) {
  const auto category = category_of(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto category = category_of(c);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_cased(char32_t c) {
  const auto category = category_of(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// Unicode's SpecialCasing.txt (mappings to several characters or that look at neighbours) and the characters
// that count as lower or upper case without being letters of that category.
bool has_special_case(char32_t c) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 28> kRanges = {{
      {0xAA, 0xAA},     {0xBA, 0xBA},     {0xDF, 0xDF},       {0x130, 0x130},   {0x149, 0x149},
      {0x1C4, 0x1CC},   {0x1F0, 0x1F3},   {0x2B0, 0x2E4},     {0x345, 0x345},   {0x37A, 0x37A},
      {0x390, 0x390},   {0x3A3, 0x3A3},   {0x3B0, 0x3B0},     {0x3C2, 0x3C2},   {0x587, 0x587},
      {0x10D0, 0x10FF}, {0x13A0, 0x13FF}, {0x1C80, 0x1D7F},   {0x1E96, 0x1E9E}, {0x1F50, 0x1FFF},
      {0x2070, 0x209F}, {0x2160, 0x217F}, {0x24B6, 0x24E9},   {0x2C7C, 0x2C7D}, {0xA640, 0xA7FF},
      {0xAB30, 0xABFF}, {0xFB00, 0xFB17}, {0x10780, 0x107BF},
  }};
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

void require_plain(char32_t c) {
  if (c >= 0x80 && has_special_case(c))
    unsupported("changing or asking for the case of U+{:04X}", static_cast<std::uint32_t>(c));
}

enum class Case { lower, upper, title };

char32_t change(char32_t c, Case wanted) {
  require_plain(c);
  const auto code = static_cast<utf8proc_int32_t>(c);
  if (wanted == Case::lower) return static_cast<char32_t>(utf8proc_tolower(code));
  if (wanted == Case::upper) return static_cast<char32_t>(utf8proc_toupper(code));
  return static_cast<char32_t>(utf8proc_totitle(code));
}

std::u32string change_all(std::u32string characters, Case wanted) {
  for (char32_t& c : characters) c = change(c, wanted);
  return characters;
}

bool begins_word(char32_t c) {
  return is_space(c) || c == U'-' || c == U'(' || c == U'{' || c == U'[' || c == U'<';
}

bool in_class(char32_t c, CharacterClass wanted) {
  if (wanted == CharacterClass::space) return is_space(c);
  if (c >= 0x80 && wanted != CharacterClass::letter && is_number(c))
    unsupported("asking whether U+{:04X} is a digit", static_cast<std::uint32_t>(c));
  const bool digit = c >= U'0' && c <= U'9';
  if (wanted == CharacterClass::digit) return digit;
  if (wanted == CharacterClass::letter) return is_letter(c);
  return digit || is_letter(c);
}

// At least one cased character, and none of the other case.
bool all_of_case(const std::u32string& characters, bool want_lower) {
  bool any = false;
  for (const char32_t c : characters) {
    require_plain(c);
    if (!is_cased(c)) continue;
    if ((category_of(c) == UTF8PROC_CATEGORY_LL) != want_lower || category_of(c) == UTF8PROC_CATEGORY_LT)
      return false;
    any = true;
  }
  return any;
}

}  // namespace

std::string lower(std::string_view text) { return encode(change_all(decode(text), Case::lower)); }

std::string upper(std::string_view text) { return encode(change_all(decode(text), Case::upper)); }

std::string title(std::string_view text) {
  std::u32string characters = decode(text);
  bool after_cased = false;
  for (char32_t& c : characters) {
    const bool cased = is_cased(c);
    c = change(c, after_cased ? Case::lower : Case::title);
    after_cased = cased;
  }
  return encode(characters);
}

std::string capitalize(std::string_view text) {
  std::u32string characters = change_all(decode(text), Case::lower);
  if (!characters.empty()) characters[0] = change(decode(text)[0], Case::title);
  return encode(characters);
}

std::string title_words(std::string_view text) {
  std::u32string characters = decode(text);
  bool at_start = true;
  for (char32_t& c : characters) {
    c = change(c, at_start ? Case::upper : Case::lower);
    at_start = begins_word(c);
  }
  return encode(characters);
}

bool all_of_class(std::string_view text, CharacterClass wanted) {
  const std::u32string characters = decode(text);
  if (wanted == CharacterClass::lower) return all_of_case(characters, true);
  if (wanted == CharacterClass::upper) return all_of_case(characters, false);
  return !characters.empty() &&
         std::all_of(characters.begin(), characters.end(), [&](char32_t c) { return in_class(c, wanted); });
}

}  // namespace moelab::text::jinja
