// Unicode's normalisation forms, case and marks over utf8proc.
#pragma once

#include <string>
#include <string_view>

namespace moelab::text {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

// Valid UTF-8 to its normal form, in place. Throws Error when memory runs out.
void normalize_unicode(UnicodeForm form, std::string& text);

// Full lower case of every character by itself: no rule for a sigma at a word's end and none of any language,
// as Rust's char::to_lowercase has it.
std::string lower_case(std::string_view text);

// The text without characters of the general category M (marks).
std::string without_marks(std::string_view text);

}  // namespace moelab::text
