// The added tokens of tokenizer.json: found in the text before anything else cuts it, and kept whole.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/text/normalizer.h"
#include "core/text/regex.h"
#include "core/text/vocabulary.h"

namespace moelab::text {

struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  // What is searched: the content, normalised when the token is matched in normalised text.
  std::string pattern;
  // Matches only where no word character touches it.
  bool single_word = false;
  // Swallows the white space before it, after it.
  bool lstrip = false;
  bool rstrip = false;
  // Is searched in the normalised text, after all tokens that are not.
  bool normalized = true;
  // Left out by decode on demand.
  bool special = false;
};

// A piece of text: an added token, or (id < 0) what lies between two of them.
struct Piece {
  std::string_view text;
  std::int32_t id = -1;
};

// Finds added tokens the way `tokenizers` does: from left to right, the longest one at each place, and a
// token that single_word forbids still hides those that overlap it.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  // Keeps pointers to the tokens. Throws FileError when two have the same pattern.
  AddedTokenMatcher(std::vector<const AddedToken*> tokens, std::string_view origin);

  // Appends the pieces of `text` to `pieces`; pieces between tokens are never empty.
  void cut(std::string_view text, RegexScratch& scratch, std::vector<Piece>& pieces) const;

 private:
  const AddedToken* longest_at(std::string_view text, std::size_t at) const;

  // Sorted by pattern; tokens that begin with byte b are at [first_[b], first_[b + 1]).
  std::vector<const AddedToken*> tokens_;
  std::array<std::size_t, 257> first_{};
};

class AddedTokens {
 public:
  // From the field "added_tokens". Ids must be those that `tokenizers` would assign: the vocabulary's own id,
  // or the next free one in the order of the file (`ids_are_free`: any that no other token has).
  // Throws FileError.
  AddedTokens(const Json& head, const Vocabulary& vocabulary, const Normalizer& normalizer, bool ids_are_free,
              std::string_view origin);
  AddedTokens(const AddedTokens&) = delete;
  AddedTokens& operator=(const AddedTokens&) = delete;

  const AddedToken* find(std::int32_t id) const;
  const AddedToken* find(std::string_view content) const;
  // Whether decoding on demand leaves the token out: what it writes is the content of a special token.
  bool is_hidden(const AddedToken& token) const;
  // Largest id + 1, 0 when there are none.
  std::size_t size() const {
    return by_id_.empty() ? 0 : static_cast<std::size_t>(by_id_.rbegin()->first) + 1;
  }

  // Tokens to look for before and after normalisation.
  const AddedTokenMatcher& raw() const { return raw_; }
  const AddedTokenMatcher& normalized() const { return normalized_; }

 private:
  void add(AddedToken token, std::size_t index, const Vocabulary& vocabulary, std::string_view origin);

  std::map<std::int32_t, AddedToken> by_id_;
  std::map<std::string, std::int32_t, std::less<>> by_content_;
  // Tokens that are not in the model's vocabulary.
  std::size_t n_new_ = 0;
  bool ids_are_free_ = false;
  AddedTokenMatcher raw_;
  AddedTokenMatcher normalized_;
};

}  // namespace moelab::text
