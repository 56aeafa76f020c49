// The normalizers of tokenizer.json: what is done to the text before it is cut into words.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/text/regex.h"
#include "core/text/replacement.h"
#include "core/text/unicode_forms.h"

namespace moelab::text {

// Puts text before everything that is not empty.
struct PrependStep {
  std::string text;
};

// Removes white space at the ends.
struct StripStep {
  bool left = true;
  bool right = true;
};

// Full lower case, character by character.
struct LowercaseStep {};

// Removes combining marks (general category M).
struct StripAccentsStep {};

using NormalizerStep =
    std::variant<UnicodeForm, PrependStep, Replacement, StripStep, LowercaseStep, StripAccentsStep>;

class Normalizer {
 public:
  // A normalised text. `from_start` is false when characters at the beginning of the original were dropped,
  // which the "first" scheme of Metaspace asks about.
  struct Result {
    std::string_view text;
    bool from_start = true;
  };

  // From the field "normalizer": null, NFC, NFD, NFKC, NFKD, Prepend, Replace, Strip, Lowercase, StripAccents
  // or a Sequence of those. Throws FileError naming `origin` and the field.
  static Normalizer from_json(const Json& value, std::string_view origin);

  // Valid UTF-8 in and out. The result is `text` itself when there is nothing to do, else a view of
  // `storage`, which is overwritten. Throws Error when replacements blow the text up beyond reason.
  Result apply(std::string_view text, RegexScratch& scratch, std::string& storage) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace moelab::text
