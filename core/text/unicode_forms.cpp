#include "core/text/unicode_forms.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

// Characters that NFC never changes and never joins to what stands before them: NFC_Quick_Check is Yes and
// the combining class 0 (DerivedNormalizationProps.txt). Not all of them, but those that texts consist of.
constexpr std::array<std::pair<char32_t, char32_t>, 16> inert_ranges = {{{0x0000, 0x02FF},
                                                                         {0x0388, 0x0482},
                                                                         {0x048A, 0x0590},
                                                                         {0x0620, 0x064A},
                                                                         {0x2002, 0x20CF},
                                                                         {0x2100, 0x2125},
                                                                         {0x212C, 0x2328},
                                                                         {0x232B, 0x2ADB},
                                                                         {0x2ADD, 0x2CEE},
                                                                         {0x3000, 0x3029},
                                                                         {0x3030, 0x3098},
                                                                         {0x309B, 0x4DBF},
                                                                         {0x4E00, 0x9FFF},
                                                                         {0xAC00, 0xD7A3},
                                                                         {0xFF00, 0xFFEF},
                                                                         {0x1F000, 0x1FAFF}}};

bool is_inert(char32_t code) {
  const auto range = std::partition_point(inert_ranges.begin(), inert_ranges.end(),
                                          [&](const auto& each) { return each.second < code; });
  return range != inert_ranges.end() && range->first <= code;
}

std::string mapped(std::string_view text, int options) {
  utf8proc_uint8_t* raw = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &raw, static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> result(raw, &std::free);
  if (size < 0) throw Error("normalising a text of {} bytes failed: {}", text.size(), utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(result.get()), static_cast<std::size_t>(size)};
}

// Composes only stretches that hold a character which could change; each begins with the inert character
// before it, to which a mark could join.
void compose(std::string& text) {
  // Bytes below 0xCC only begin characters below U+0300.
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0xCC; }))
    return;
  std::string out;
  std::size_t copied = 0;
  std::size_t previous = 0;
  for (std::size_t at = 0; at < text.size();) {
    Utf8Char next = decode_utf8(text, at);
    if (is_inert(next.code)) {
      previous = at;
      at += next.length;
      continue;
    }
    while (at < text.size() && !is_inert((next = decode_utf8(text, at)).code)) at += next.length;
    out.append(text, copied, previous - copied);
    out += mapped(std::string_view(text).substr(previous, at - previous), UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    copied = previous = at;
  }
  if (copied == 0) return;
  out.append(text, copied);
  text = std::move(out);
}

bool is_mark(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
         category == UTF8PROC_CATEGORY_ME;
}

}  // namespace

void normalize_unicode(UnicodeForm form, std::string& text) {
  constexpr int compatible = UTF8PROC_STABLE | UTF8PROC_COMPAT;
  switch (form) {
    case UnicodeForm::nfc:
      return compose(text);
    case UnicodeForm::nfd:
      text = mapped(text, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
      return;
    case UnicodeForm::nfkc:
      text = mapped(text, compatible | UTF8PROC_COMPOSE);
      return;
    case UnicodeForm::nfkd:
      text = mapped(text, compatible | UTF8PROC_DECOMPOSE);
      return;
  }
}

std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char next = decode_utf8(text, at);
    const auto lower = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(next.code)));
    if (next.valid && lower == next.code)  // most characters; copied, not encoded anew
      out.append(text, at, next.length);
    else
      append_utf8(out, lower);
    at += next.length;
    // The one character whose lower case is two (SpecialCasing.txt); utf8proc gives the first of them.
    if (next.code == 0x130) append_utf8(out, 0x307);
  }
  return out;
}

std::string without_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char next = decode_utf8(text, at);
    if (!is_mark(next.code)) out.append(text.substr(at, next.length));
    at += next.length;
  }
  return out;
}

}  // namespace moelab::text
