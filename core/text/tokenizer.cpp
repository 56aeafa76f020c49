#include "core/text/tokenizer.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/text/added_tokens.h"
#include "core/text/bpe.h"
#include "core/text/byte_letters.h"
#include "core/text/decoder.h"
#include "core/text/json_fields.h"
#include "core/text/normalizer.h"
#include "core/text/post_processor.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tiktoken.h"
#include "core/text/tokenizer_file.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

// Everything that one call of encode writes to.
struct Workspace {
  PreTokenizerScratch words;
  BpeScratch bpe;
  std::vector<Piece> pieces;
  std::vector<Piece> normalized_pieces;
  std::string normalized;
};

// Workspaces keep their word cache from call to call; there are as many as calls ever ran at the same time.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> take() {
    {
      const std::scoped_lock lock(mutex_);
      if (!free_.empty()) {
        auto workspace = std::move(free_.back());
        free_.pop_back();
        return workspace;
      }
    }
    return std::make_unique<Workspace>();
  }

  void give(std::unique_ptr<Workspace> workspace) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

Json field_or_null(const Json& head, const char* field) {
  const auto found = head.find(field);
  return found == head.end() ? Json() : *found;
}

void check_file(const TokenizerFile& file) {
  require_known_keys(file.head,
                     {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                      "post_processor", "decoder", "model"},
                     file.origin, "tokenizer.json");
  const auto version = json_get_or<std::string>(file.head, "version", "1.0", file.origin);
  if (version != "1.0") fail_unsupported(file.origin, "version", version, "1.0");
}

Bpe read_model(const TokenizerFile& file, const PreTokenizer& pre_tokenizer) {
  if (file.ids_are_ranks)
    return Bpe::from_ranks(Vocabulary(file.vocab, EntryForm::byte_letters, file.origin));
  return Bpe::from_file(file, pre_tokenizer.is_byte_level() ? EntryForm::byte_letters : EntryForm::text);
}

}  // namespace

struct Tokenizer::Parts {
  explicit Parts(const TokenizerFile& file)
      : digest(file.digest),
        normalizer(Normalizer::from_json(field_or_null(file.head, "normalizer"), file.origin)),
        pre_tokenizer(PreTokenizer::from_json(field_or_null(file.head, "pre_tokenizer"), file.origin)),
        post_processor(PostProcessor::from_json(field_or_null(file.head, "post_processor"), file.origin)),
        decoder(Decoder::from_json(field_or_null(file.head, "decoder"), file.origin)),
        bpe(read_model(file, pre_tokenizer)),
        added(file.head, bpe.vocabulary(), normalizer, file.ids_are_ranks, file.origin) {
    for (const Template& frame : post_processor.templates()) {
      for (const auto* ids : {&frame.before, &frame.after}) {
        for (const std::int32_t id : *ids) {
          if (added.find(id) == nullptr && bpe.vocabulary().bytes(id) == nullptr) {
            throw FileError("{}: post_processor adds the id {}, which no token has", file.origin, id);
          }
        }
      }
    }
  }

  void encode_text(std::string_view text, Workspace& space, std::vector<std::int32_t>& ids) const;
  void decode_token(std::int32_t id, bool skip_special_tokens, DecoderRun& run, std::string& out) const;

  std::string digest;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  Decoder decoder;
  Bpe bpe;
  AddedTokens added;
  mutable WorkspacePool pool;
};

// The order of `tokenizers`: tokens of the raw text, normalisation of what is left, tokens of that, words,
// merges.
void Tokenizer::Parts::encode_text(std::string_view text, Workspace& space,
                                   std::vector<std::int32_t>& ids) const {
  space.pieces.clear();
  added.raw().cut(text, space.words.regex, space.pieces);
  for (const Piece& outer : space.pieces) {
    if (outer.id >= 0) {
      ids.push_back(outer.id);
      continue;
    }
    space.normalized_pieces.clear();
    const auto normal = normalizer.apply(outer.text, space.words.regex, space.normalized);
    const bool outer_first = outer.text.data() == text.data() && normal.from_start;
    added.normalized().cut(normal.text, space.words.regex, space.normalized_pieces);
    for (const Piece& inner : space.normalized_pieces) {
      if (inner.id >= 0) {
        ids.push_back(inner.id);
        continue;
      }
      pre_tokenizer.split(inner.text, outer_first && inner.text.data() == normal.text.data(), space.words);
      for (const std::string_view word : space.words.words) bpe.encode(word, space.bpe, ids);
    }
  }
}

void Tokenizer::Parts::decode_token(std::int32_t id, bool skip_special_tokens, DecoderRun& run,
                                    std::string& out) const {
  if (const AddedToken* token = added.find(id)) {
    if (skip_special_tokens && added.is_hidden(*token)) return;
    // The ByteLevel decoder reads byte letters in an added token too, if it has no other character.
    const auto raw = decoder.takes_bytes() ? bytes_of_letters(token->pattern) : std::nullopt;
    run.push(raw.value_or(token->pattern), out);
  } else if (const std::string* entry = bpe.vocabulary().bytes(id)) {
    const bool letters = bpe.vocabulary().form() == EntryForm::byte_letters;
    if (letters == decoder.takes_bytes()) return run.push(*entry, out);
    run.push(letters ? letters_of_bytes(*entry) : bytes_of_letters(*entry).value_or(*entry), out);
  }
}

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::filesystem::path& tokenizer_json) {
  return from_file(read_tokenizer_file(tokenizer_json));
}

Tokenizer Tokenizer::parse(std::string_view json, const std::string& origin) {
  return from_file(parse_tokenizer_file(json, origin));
}

Tokenizer Tokenizer::load_tiktoken(const std::filesystem::path& ranks, const TiktokenOptions& options) {
  return from_file(read_tiktoken_file(ranks, options));
}

Tokenizer Tokenizer::from_file(const TokenizerFile& file) {
  check_file(file);
  return Tokenizer(std::make_unique<const Parts>(file));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view utf8, bool add_special_tokens) const {
  if (const auto bad = first_invalid_utf8(utf8)) {
    throw Error(
        "the text is not valid UTF-8: byte {} (0x{:02X}) begins no character; convert the text to UTF-8",
        *bad, static_cast<unsigned char>(utf8[*bad]));
  }
  std::vector<std::int32_t> ids;
  ids.reserve(utf8.size() / 3 + 8);
  auto space = parts_->pool.take();
  // After an exception the workspace is dropped rather than given back half used.
  parts_->encode_text(utf8, *space, ids);
  parts_->pool.give(std::move(space));
  if (add_special_tokens) parts_->post_processor.add_special_tokens(ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::string text;
  DecoderRun run(parts_->decoder);
  for (const std::int32_t id : ids) parts_->decode_token(id, skip_special_tokens, run, text);
  run.finish(text);
  return text;
}

std::string Tokenizer::token_bytes(std::int32_t id) const {
  if (const AddedToken* token = parts_->added.find(id)) return token->content;
  const Vocabulary& vocabulary = parts_->bpe.vocabulary();
  if (const std::string* entry = vocabulary.bytes(id)) {
    return vocabulary.form() == EntryForm::text ? parts_->decoder.token_bytes(*entry) : *entry;
  }
  throw Error("no token has the id {} (the vocabulary's ids are below {})", id, vocab_size());
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view content) const {
  if (const AddedToken* token = parts_->added.find(content)) return token->id;
  return parts_->bpe.vocabulary().find(content);
}

bool Tokenizer::has_token(std::int32_t id) const {
  return parts_->added.find(id) != nullptr || parts_->bpe.vocabulary().bytes(id) != nullptr;
}

bool Tokenizer::is_special(std::int32_t id) const {
  const AddedToken* token = parts_->added.find(id);
  return token != nullptr && token->special;
}

std::size_t Tokenizer::vocab_size() const {
  return std::max(parts_->bpe.vocabulary().size(), parts_->added.size());
}

const std::string& Tokenizer::digest() const { return parts_->digest; }

struct DecodeStream::State {
  const Tokenizer::Parts& parts;
  bool skips_special_tokens;
  DecoderRun run;
};

DecodeStream::DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens)
    : state_(std::make_unique<State>(
          State{*tokenizer.parts_, skip_special_tokens, DecoderRun(tokenizer.parts_->decoder)})) {}
DecodeStream::~DecodeStream() = default;
DecodeStream::DecodeStream(DecodeStream&&) noexcept = default;
DecodeStream& DecodeStream::operator=(DecodeStream&&) noexcept = default;

std::string DecodeStream::push(std::int32_t id) {
  std::string text;
  state_->parts.decode_token(id, state_->skips_special_tokens, state_->run, text);
  return text;
}

std::string DecodeStream::finish() {
  std::string text;
  state_->run.finish(text);
  return text;
}

}  // namespace moelab::text
