#include "experiments/generated_text.h"

#include <algorithm>
#include <utility>

namespace moelab::experiments {

GeneratedText::GeneratedText(const text::Tokenizer& tokenizer, GeneratedTextOptions options)
    : tokenizer_(tokenizer),
      options_(std::move(options)),
      splitter_(tokenizer, options_.thinking),
      stream_(tokenizer) {}

TextPart GeneratedText::push(std::int32_t token) {
  tokens_.push_back(token);
  // Every marker ends in '>', so that the kind of a token can differ from the one before only there: a long
  // text is not split again at each of its tokens.
  const bool ends_marker =
      tokenizer_.has_token(token) && tokenizer_.token_bytes(token).find('>') != std::string::npos;
  if (may_change_ || ends_marker) is_answer_ = last_is_answer();
  may_change_ = ends_marker;
  const auto& silent = options_.silent_ids;
  if (std::find(silent.begin(), silent.end(), token) != silent.end()) return {};
  return {stream_.push(token), !is_answer_};
}

TextPart GeneratedText::finish() { return {stream_.finish(), !is_answer_}; }

text::ThinkingSplit GeneratedText::split(bool ended) const {
  return splitter_.split(tokens_, {options_.opened, ended});
}

bool GeneratedText::last_is_answer() const {
  const text::ThinkingSplit parts = split(false);
  return !parts.answer.empty() && parts.answer.back().end == tokens_.size();
}

}  // namespace moelab::experiments
