// The "Replace" of tokenizer.json, which is a normalizer and a decoder: matches of a pattern become other
// text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/text/regex.h"

namespace moelab::text {

// How long a text may become by replacements, in bytes: 64 times its length at first, and 1 MiB in any case.
// A file that asks for more is damaged or hostile.
std::size_t longest_replaced(std::size_t original);

class Replacement {
 public:
  // From {"type": "Replace", "pattern": {"String" or "Regex": ..}, "content": ..}. Throws FileError naming
  // `origin` and `field`.
  static Replacement from_json(const Json& value, std::string_view origin, const std::string& field);

  // The text with every match replaced; `removed_start` becomes true when a match at its beginning became
  // nothing. Throws Error when the result would have more than `limit` bytes.
  std::string apply(std::string_view text, std::size_t limit, RegexScratch& scratch,
                    bool& removed_start) const;

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
