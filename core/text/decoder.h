// The decoders of tokenizer.json: how the entries of tokens become text again, token by token as they arrive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/regex.h"
#include "core/text/replacement.h"

namespace moelab::text {

// Joins the bytes that the letters of all tokens stand for; what is no UTF-8 becomes U+FFFD.
struct ByteLevelDecoder {};

// Joins runs of "<0x0A>" tokens; a run that is no UTF-8 becomes a U+FFFD for each of its bytes.
struct ByteFallbackDecoder {};

// Makes one token of all.
struct FuseDecoder {};

// Removes up to `start` and `stop` times a character at the ends of each token.
struct StripDecoder {
  std::string character;
  std::size_t start = 0;
  std::size_t stop = 0;
};

// Writes a mark as a space; in the first token it is dropped, unless the scheme is "never".
struct MetaspaceDecoder {
  std::string mark;
  bool drops_first = true;
};

using DecoderStep = std::variant<ByteLevelDecoder, ByteFallbackDecoder, FuseDecoder, StripDecoder,
                                 MetaspaceDecoder, Replacement>;

class Decoder {
 public:
  // From the field "decoder": ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace or a Sequence of
  // those. Throws FileError naming `origin` and the field.
  static Decoder from_json(const Json& value, std::string_view origin);

  const std::vector<DecoderStep>& steps() const { return steps_; }

  // Whether tokens are given to it as bytes instead of byte letters, because it begins with ByteLevel.
  bool takes_bytes() const;

  // The bytes that one token stands for inside a text; they need not be whole characters.
  std::string token_bytes(std::string_view entry) const;

 private:
  std::vector<DecoderStep> steps_;
};

// One decoding: tokens go in one by one, and text comes out as soon as no later token can change it. It is
// always whole characters, and all of it together is what `tokenizers` decodes at once.
class DecoderRun {
 public:
  // Keeps a pointer to the decoder.
  explicit DecoderRun(const Decoder& decoder);

  // Appends what is certain now to `out`.
  void push(std::string_view token, std::string& out);
  // Appends the rest to `out`; nothing may be pushed afterwards.
  void finish(std::string& out);

 private:
  // What a step keeps between its calls.
  struct State {
    std::string held;
    // Characters that Strip has removed at the start of the current token.
    std::size_t stripped = 0;
    bool inside_token = false;
    bool past_first_token = false;
  };

  // Hands a part of a token to a step (or to `out` after the last); `ends`: the token is complete.
  void feed(std::size_t step, std::string_view part, bool ends, std::string& out);
  void flush(std::size_t step, std::string& out);

  void accept(const ByteLevelDecoder&, std::size_t step, std::string_view part, bool ends, std::string& out);
  void accept(const ByteFallbackDecoder&, std::size_t step, std::string_view part, bool ends,
              std::string& out);
  void accept(const FuseDecoder&, std::size_t step, std::string_view part, bool ends, std::string& out);
  void accept(const StripDecoder&, std::size_t step, std::string_view part, bool ends, std::string& out);
  void accept(const MetaspaceDecoder&, std::size_t step, std::string_view part, bool ends, std::string& out);
  void accept(const Replacement&, std::size_t step, std::string_view part, bool ends, std::string& out);
  void release_bytes(std::size_t step, std::string& out);

  const Decoder* decoder_;
  // Bytes of all tokens so far.
  std::size_t n_taken_ = 0;
  std::vector<State> states_;
  RegexScratch scratch_;
};

}  // namespace moelab::text
