// Generated tokens as text for people: piece by piece, thinking told apart from the answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/text/thinking.h"
#include "core/text/tokenizer.h"
#include "experiments/terminal.h"

namespace moelab::experiments {

struct GeneratedTextOptions {
  text::ThinkingFormat thinking;  // how the model marks its thinking
  text::ThinkingOptions::Opened opened = text::ThinkingOptions::Opened::nothing;  // by the prompt
  std::vector<std::int32_t> silent_ids;  // tokens that give no text: those that end the model's turn
};

// One sample. Whatever is not answer is dim: thinking, markers, headers.
class GeneratedText {
 public:
  // Keeps a reference to the tokenizer, which must live longer.
  GeneratedText(const text::Tokenizer& tokenizer, GeneratedTextOptions options);

  // The text that has become certain with this token: whole characters, often none.
  TextPart push(std::int32_t token);
  // The rest, after the last token.
  TextPart finish();

  const std::vector<std::int32_t>& tokens() const { return tokens_; }

  // The tokens so far; `ended`: the model ended its turn.
  text::ThinkingSplit split(bool ended) const;

 private:
  bool last_is_answer() const;

  const text::Tokenizer& tokenizer_;
  GeneratedTextOptions options_;
  text::ThinkingSplitter splitter_;
  text::DecodeStream stream_;
  std::vector<std::int32_t> tokens_;
  bool is_answer_ = true;   // the last token
  bool may_change_ = true;  // the last token may have ended a marker
};

}  // namespace moelab::experiments
