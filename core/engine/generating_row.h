// One sample while it is made: its tokens so far, how the next one is chosen, and when it ends.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/engine/decoder.h"
#include "core/engine/request.h"
#include "core/text/tokenizer.h"

namespace moelab::engine {

// Between runs (see GenerateOptions::rows) it keeps its tokens only.
struct GeneratingRow {
  const GenerateRequest* request = nullptr;
  Generation sample;
  ThinkingTracker thinking;
  std::string text;   // bytes of the generated tokens; filled only for stop strings
  Tokens sequence;    // prompt and generated tokens, while it runs
  DecodeRow decoder;  // holds the first decoder.kv.tokens of the sequence

  std::int64_t total() const { return static_cast<std::int64_t>(sequence.size()); }
  std::int64_t prompt_tokens() const { return static_cast<std::int64_t>(request->prompt.size()); }
  std::size_t unread() const { return sequence.size() - static_cast<std::size_t>(decoder.kv.tokens); }
};

// Repeat `repeat` of requests[index].
GeneratingRow make_row(std::span<const GenerateRequest> requests, std::size_t index, std::int64_t repeat);

// Adds the token that follows the logits of the row's last one: a forced one, or else one that the request's
// sampling chooses. Throws LogitsError naming question, repeat and token when there is nothing to choose
// from.
std::int32_t add_token(GeneratingRow& row, std::span<const float> logits);

// Whether the sample ends with the token that was added last, and why. The tokenizer may be null without stop
// strings.
std::optional<StopReason> stop_reason(GeneratingRow& row, const model::ModelSpec& spec,
                                      const text::Tokenizer* tokenizer);

}  // namespace moelab::engine
