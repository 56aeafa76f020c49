// Byte-pair encoding of one word: bytes or characters are merged pair by pair in the order of the merge list.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/text/tokenizer_file.h"
#include "core/text/vocabulary.h"
#include "core/text/word_cache.h"

namespace moelab::text {

// From a pair of ids to the id of their merge and its rank (lower ranks go first). Open addressing, built
// once.
class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = 0;
    std::int32_t id = -1;
  };

  MergeTable() : MergeTable(0) {}
  explicit MergeTable(std::size_t n_merges);
  // A pair given again replaces the earlier rank.
  void set(std::int32_t left, std::int32_t right, Merge merge);
  // Null when the pair is never merged.
  const Merge* find(std::int32_t left, std::int32_t right) const;

 private:
  struct Slot {
    std::uint64_t key = 0;
    Merge merge;
  };
  std::size_t slot_of(std::uint64_t key) const;

  int shift_ = 0;
  std::vector<Slot> slots_;
};

// Buffers of one thread.
struct BpeScratch {
  // A run of the word that has become one token; the runs of a word form a doubly linked list.
  struct Symbol {
    std::int32_t id = 0;
    std::int32_t previous = -1;
    std::int32_t next = -1;
    // False once the symbol was merged into the one on its left.
    bool alive = true;
  };
  struct Candidate {
    std::uint32_t rank = 0;
    std::int32_t position = 0;
    std::int32_t id = 0;
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  WordCache cache;
};

class Bpe {
 public:
  // A vocabulary of text makes symbols of characters, one of byte letters makes them of bytes.
  // Throws FileError naming the field for what is not supported (dropout, prefixes, in a byte-level file an
  // unknown token or a byte fallback that could be needed) and for merges that name an unknown token.
  static Bpe from_file(const TokenizerFile& file, EntryForm form);

  // From a vocabulary whose ids are merge ranks, as tiktoken has it: two tokens merge when their bytes
  // together are a token, those of the lowest rank first, and a word that is a token stays whole.
  static Bpe from_ranks(Vocabulary vocabulary);

  // Appends the ids of one word to `ids`, in O(n log n) for n bytes. Throws Error when the vocabulary has no
  // token for a byte or character and no unknown token (there `tokenizers` drops it silently).
  void encode(std::string_view word, BpeScratch& scratch, std::vector<std::int32_t>& ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

  // Whether "<0x0A>" stands for a byte.
  bool has_byte_fallback() const { return byte_fallback_; }

 private:
  Bpe(Vocabulary vocabulary, std::size_t n_merges);
  void read_merges(const TokenizerFile& file);
  void read_options(const TokenizerFile& file);
  void encode_part(std::string_view part, BpeScratch& scratch, std::vector<std::int32_t>& ids) const;
  void start_word(std::string_view word, BpeScratch& scratch) const;
  void start_bytes(std::string_view word, BpeScratch& scratch) const;
  void start_characters(std::string_view word, BpeScratch& scratch) const;
  bool append_fallback(std::string_view character, BpeScratch& scratch) const;
  void merge_word(BpeScratch& scratch) const;
  void push_candidate(BpeScratch& scratch, std::int32_t position) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  // Words that are tokens by themselves are not merged from bytes.
  bool ignore_merges_ = false;
  // Characters without a token become tokens of their bytes.
  bool byte_fallback_ = false;
  // Neighbouring unknown characters share one unknown token.
  bool fuse_unknown_ = false;
  // No token has "▁" after another character, so that words may be cut before each "▁" that follows one.
  bool cuts_at_marks_ = false;
  // -1: none.
  std::int32_t unknown_ = -1;
  // The token of each single byte (of a vocabulary of text: of each ASCII character), -1 where there is none.
  std::array<std::int32_t, 256> byte_ids_{};
  // The tokens "<0x00>" to "<0xFF>".
  std::array<std::int32_t, 256> fallback_ids_{};
};

}  // namespace moelab::text
