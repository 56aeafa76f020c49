// The pre-tokenizers of tokenizer.json: how a normalised text is cut into the words that the BPE model
// encodes.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/text/regex.h"

namespace moelab::text {

// What becomes of a match: a word of its own, dropped, joined with neighbouring matches, or glued to the
// words beside.
enum class SplitBehavior { isolated, removed, contiguous, merged_with_previous, merged_with_next };

// Cuts at the matches of a pattern. `Digits` is one of these too.
struct SplitStep {
  Regex regex;
  SplitBehavior behavior = SplitBehavior::isolated;
  // Takes what lies between the matches for the matches.
  bool invert = false;
};

// Puts a space before words that begin without one, then cuts with GPT-2's pattern, where there is one.
struct ByteLevelStep {
  bool add_prefix_space = false;
  std::optional<Regex> regex;
};

// When Metaspace puts its mark before a word that has none: never, always, or only where the text begins.
enum class PrependScheme { never, always, first };

// Writes spaces as a mark ("▁") and cuts before each mark.
struct MetaspaceStep {
  std::string mark;
  PrependScheme scheme = PrependScheme::always;
  // Cuts before each mark; absent where the words stay whole.
  std::optional<Regex> cut;
};

// The scheme of a Metaspace, which its older form "add_prefix_space" also says. Throws FileError.
PrependScheme read_prepend_scheme(const Json& value, std::string_view origin, const std::string& field);

using PreTokenizerStep = std::variant<SplitStep, ByteLevelStep, MetaspaceStep>;

// Buffers of one thread; `words` holds the result of the latest split.
struct PreTokenizerScratch {
  RegexScratch regex;
  std::vector<Span> spans;
  std::vector<std::string_view> words;
  std::vector<std::string_view> input;
  // Words that were rewritten; a deque, as the views into it must stay valid while it grows.
  std::deque<std::string> rewritten;
};

class PreTokenizer {
 public:
  // From the field "pre_tokenizer": null, Split, Digits, Metaspace, ByteLevel (as the last step only) or a
  // Sequence of those. Throws FileError naming `origin` and the field.
  static PreTokenizer from_json(const Json& value, std::string_view origin);

  // Leaves the words of `text` in scratch.words: views of `text` or of scratch.rewritten, none empty. The
  // letters of byte-level vocabularies never appear: words are plain UTF-8, or with add_prefix_space a space
  // more. `at_start`: `text` stands where the original text begins. Valid until the next call.
  void split(std::string_view text, bool at_start, PreTokenizerScratch& scratch) const;

  // Whether it ends with ByteLevel, so that the vocabulary is one of bytes.
  bool is_byte_level() const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace moelab::text
