// Which thinking format a model writes, guessed from what its directory says, and what a prompt has opened.
#pragma once

#include <string>
#include <string_view>

#include "core/text/thinking.h"

namespace moelab::experiments {

struct ThinkingHints {
  std::string model_type;         // of config.json
  std::string chat_template;      // its source; empty: there is none
  bool has_think_tokens = false;  // the tokenizer has <think> and </think> as tokens
};

// A name that text::thinking_format knows: by the model type where one family alone has it, else by the
// markers that the chat template writes or looks for, else by the tokens; "none" without any of those.
std::string guess_thinking_family(const ThinkingHints& hints);

// What the end of a prompt has opened, white space left out: thinking after <think> or the header of a
// thinking message, the answer after </think> or the header of an answer. What stands before the end is not
// looked at, so that a marker in a question opens nothing.
text::ThinkingOptions::Opened opened_by_prompt(std::string_view prompt, const text::ThinkingFormat& format);

}  // namespace moelab::experiments
