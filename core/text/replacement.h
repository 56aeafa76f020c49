// The "Replace" of tokenizer.json, which is a normalizer and a decoder: matches of a pattern become other
// text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/text/regex.h"

namespace moelab::text {

class Replacement {
 public:
  // From {"type": "Replace", "pattern": {"String" or "Regex": ..}, "content": ..}. Throws FileError naming
  // `origin` and `field`.
  static Replacement from_json(const Json& value, std::string_view origin, const std::string& field);

  // The text with every match replaced; `removed_start` becomes true when a match at its beginning became
  // nothing. Throws Error when the result is more than 64 times as long as the text and longer than 1 MiB: a
  // file that asks for this is damaged or hostile.
  std::string apply(std::string_view text, RegexScratch& scratch, bool& removed_start) const;

  // Whether every match is one certain character, so that a text may be replaced piece by piece.
  bool is_one_character() const;

 private:
  void append(std::string& out, std::string_view part, std::size_t limit) const;

  // The text to look for, unless there is a pattern.
  std::string literal_;
  std::optional<Regex> regex_;
  std::string content_;
};

}  // namespace moelab::text
