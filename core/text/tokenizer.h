// The tokenizer of a model directory (tokenizer.json): text to token ids and back, with the ids of
// `tokenizers`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace moelab::text {

struct TiktokenOptions;
struct TokenizerFile;

// BPE over bytes (GPT-2 and its kin) or over characters with byte fallback (Llama). All const members may be
// called from many threads at once. The file's "truncation" and "padding" are ignored, as `transformers`
// does: moelab never cuts or pads a text by itself.
class Tokenizer {
 public:
  // Throws FileError on anything unsupported or damaged, naming the file and the field.
  static Tokenizer load(const std::filesystem::path& tokenizer_json);
  // From the text of a tokenizer.json; errors name `origin`.
  static Tokenizer parse(std::string_view json, const std::string& origin);
  // From a file of tiktoken (a base64 token and its rank a line); core/text/tiktoken.h has the options.
  static Tokenizer load_tiktoken(const std::filesystem::path& ranks, const TiktokenOptions& options);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // The ids of a text; added tokens written in it are recognised. `add_special_tokens` frames it as the
  // file's post-processor says. Throws Error on invalid UTF-8 (with the byte's offset).
  std::vector<std::int32_t> encode(std::string_view utf8, bool add_special_tokens = false) const;

  // The text of ids, always valid UTF-8: bytes that are not become U+FFFD. Ids without a token (a model's
  // output layer is often wider than its vocabulary) give nothing, as in `tokenizers`.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = false) const;

  // The raw bytes of one token, which need not be whole characters; for added tokens their content.
  // Throws Error when no token has the id.
  std::string token_bytes(std::int32_t id) const;

  // By the content of an added token or the entry as the vocabulary writes it ("Ġthe").
  std::optional<std::int32_t> token_id(std::string_view content) const;

  // Whether a token has the id; a model's output layer is often wider than its vocabulary.
  bool has_token(std::int32_t id) const;

  // Whether decode(..., true) leaves the token out. False for ids without a token.
  bool is_special(std::int32_t id) const;

  // Largest id + 1, added tokens included.
  std::size_t vocab_size() const;

  // SHA-256 of the file.
  const std::string& digest() const;

 private:
  friend class DecodeStream;
  struct Parts;
  explicit Tokenizer(std::unique_ptr<const Parts> parts);
  static Tokenizer from_file(const TokenizerFile& file);

  std::unique_ptr<const Parts> parts_;
};

// Decodes ids as they are generated. Every piece is complete UTF-8, and all pieces together with the rest are
// exactly Tokenizer::decode of all ids; so text comes only when no later id can change it (the bytes of a
// character that is spelled in several tokens come with its last token; Llama's byte tokens when their run
// ends).
class DecodeStream {
 public:
  // Keeps a reference to the tokenizer, which must live longer.
  explicit DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens = false);
  ~DecodeStream();
  DecodeStream(DecodeStream&&) noexcept;
  DecodeStream& operator=(DecodeStream&&) noexcept;

  // The text that has become certain; often empty.
  std::string push(std::int32_t id);
  // The rest. Call it once, after the last id.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moelab::text
