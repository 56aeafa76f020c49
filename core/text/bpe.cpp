#include "core/text/bpe.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr std::int32_t none = -1;
constexpr std::uint64_t free_key = std::numeric_limits<std::uint64_t>::max();

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

// std::push_heap keeps the largest first, so "larger" means later: higher rank, then further right.
bool goes_later(const BpeScratch::Candidate& a, const BpeScratch::Candidate& b) {
  return std::pair(a.rank, a.position) > std::pair(b.rank, b.position);
}

// Bytes that valid UTF-8 never contains.
bool impossible_in_utf8(std::size_t byte) { return byte == 0xC0 || byte == 0xC1 || byte >= 0xF5; }

// The mark that stands for a space in vocabularies of text.
constexpr std::string_view space_mark = "\u2581";

// Whether `token` has a mark that does not belong to a run of marks at its beginning.
bool has_inner_mark(std::string_view token) {
  std::size_t run = 0;
  while (token.substr(run).starts_with(space_mark)) run += space_mark.size();
  return token.find(space_mark, run) != std::string_view::npos;
}

// The end of the part of `word` that begins at `begin`: where a mark follows another character.
std::size_t end_of_part(std::string_view word, std::size_t begin) {
  std::size_t at = begin;
  while (word.substr(at).starts_with(space_mark)) at += space_mark.size();
  return std::min(word.find(space_mark, at), word.size());
}

}  // namespace

MergeTable::MergeTable(std::size_t n_merges) {
  const std::size_t n_slots = std::bit_ceil(2 * n_merges + 2);
  shift_ = 64 - std::countr_zero(n_slots);
  slots_.assign(n_slots, Slot{free_key, {}});
}

std::size_t MergeTable::slot_of(std::uint64_t key) const {
  // Fibonacci hashing: the high bits of a product with 2^64 / the golden ratio are well mixed.
  std::size_t at = (key * 0x9E3779B97F4A7C15ULL) >> shift_;
  while (slots_[at].key != key && slots_[at].key != free_key) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void MergeTable::set(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t key = pair_key(left, right);
  slots_[slot_of(key)] = {key, merge};
}

const MergeTable::Merge* MergeTable::find(std::int32_t left, std::int32_t right) const {
  const Slot& slot = slots_[slot_of(pair_key(left, right))];
  return slot.key == free_key ? nullptr : &slot.merge;
}

Bpe::Bpe(Vocabulary vocabulary, std::size_t n_merges)
    : vocabulary_(std::move(vocabulary)), merges_(n_merges) {
  const bool text = vocabulary_.form() == EntryForm::text;
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char letter = static_cast<char>(byte);
    byte_ids_[byte] = text && byte >= 0x80 ? none : vocabulary_.find_bytes({&letter, 1}).value_or(none);
    fallback_ids_[byte] = vocabulary_.find(fmt::format("<0x{:02X}>", byte)).value_or(none);
  }
}

void Bpe::read_merges(const TokenizerFile& file) {
  const auto id_of = [&](const std::string& token, std::size_t rank) {
    if (const auto id = vocabulary_.find(token)) return *id;
    throw FileError("{}: model.merges[{}] needs the token '{}', which model.vocab does not have", file.origin,
                    rank, token);
  };
  std::string joined;
  cuts_at_marks_ = vocabulary_.form() == EntryForm::text && vocabulary_.find(space_mark).has_value();
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const auto& [left, right] = file.merges[rank];
    joined.assign(left).append(right);
    cuts_at_marks_ = cuts_at_marks_ && !has_inner_mark(joined);
    const std::int32_t left_id = id_of(left, rank);
    const std::int32_t right_id = id_of(right, rank);
    merges_.set(left_id, right_id, {static_cast<std::uint32_t>(rank), id_of(joined, rank)});
  }
}

void Bpe::read_options(const TokenizerFile& file) {
  const Json& model = file.head.at("model");
  const std::string& origin = file.origin;
  require_known_keys(model,
                     {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                      "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"},
                     origin, "model");
  if (member_or<double>(model, "dropout", 0.0, origin, "model") != 0.0) {
    fail_unsupported(origin, "model.dropout", model.at("dropout").dump(), "null");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto text = member_or<std::string>(model, key, "", origin, "model");
    if (!text.empty())
      fail_unsupported(origin, fmt::format("model.{}", key), text, "null or an empty string");
  }
  ignore_merges_ = member_or<bool>(model, "ignore_merges", false, origin, "model");
  byte_fallback_ = member_or<bool>(model, "byte_fallback", false, origin, "model");
  fuse_unknown_ = member_or<bool>(model, "fuse_unk", false, origin, "model");
  cuts_at_marks_ = cuts_at_marks_ && !ignore_merges_;
  const auto unknown = member_or<std::string>(model, "unk_token", "", origin, "model");
  if (!unknown.empty()) unknown_ = vocabulary_.find(unknown).value_or(none);
  if (vocabulary_.form() == EntryForm::text || (unknown.empty() && !byte_fallback_)) return;
  // With a token for every byte neither is ever used.
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    if (byte_ids_[byte] != none || impossible_in_utf8(byte)) continue;
    throw FileError(
        "{}: model.{} and model.vocab has no token for the byte 0x{:02X}; supported in a byte-level file is "
        "one that no text needs",
        origin, unknown.empty() ? "byte_fallback is true" : fmt::format("unk_token is '{}'", unknown), byte);
  }
}

Bpe Bpe::from_file(const TokenizerFile& file, EntryForm form) {
  Bpe bpe(Vocabulary(file.vocab, form, file.origin), file.merges.size());
  bpe.read_merges(file);
  bpe.read_options(file);
  return bpe;
}

Bpe Bpe::from_ranks(Vocabulary vocabulary) {
  struct Rule {
    std::int32_t left, right, result;
  };
  std::vector<Rule> rules;
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(vocabulary.size()); ++id) {
    const std::string* bytes = vocabulary.bytes(id);
    if (bytes == nullptr) continue;
    const std::string_view whole = *bytes;
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      const auto left = vocabulary.find_bytes(whole.substr(0, cut));
      const auto right = left ? vocabulary.find_bytes(whole.substr(cut)) : std::nullopt;
      if (right) rules.push_back({*left, *right, id});
    }
  }
  Bpe bpe(std::move(vocabulary), rules.size());
  for (const Rule& rule : rules) {
    bpe.merges_.set(rule.left, rule.right, {static_cast<std::uint32_t>(rule.result), rule.result});
  }
  bpe.ignore_merges_ = true;
  return bpe;
}

void Bpe::encode(std::string_view word, BpeScratch& scratch, std::vector<std::int32_t>& ids) const {
  if (!cuts_at_marks_) return encode_part(word, scratch, ids);
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t end = end_of_part(word, begin);
    encode_part(word.substr(begin, end - begin), scratch, ids);
    begin = end;
  }
}

void Bpe::encode_part(std::string_view part, BpeScratch& scratch, std::vector<std::int32_t>& ids) const {
  if (const auto known = scratch.cache.find(part)) {
    ids.insert(ids.end(), known->begin(), known->end());
    return;
  }
  const std::size_t before = ids.size();
  const auto whole = ignore_merges_ ? vocabulary_.find_bytes(part) : std::nullopt;
  if (whole) {
    ids.push_back(*whole);
  } else if (!part.empty()) {
    start_word(part, scratch);
    merge_word(scratch);
    const auto& symbols = scratch.symbols;
    for (std::int32_t at = symbols.empty() ? none : 0; at != none;
         at = symbols[static_cast<std::size_t>(at)].next)
      ids.push_back(symbols[static_cast<std::size_t>(at)].id);
  }
  scratch.cache.store(part, std::span(ids).subspan(before));
}

void Bpe::start_word(std::string_view word, BpeScratch& scratch) const {
  if (word.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error("a word of {} bytes is too long to encode", word.size());
  }
  auto& symbols = scratch.symbols;
  symbols.clear();
  if (vocabulary_.form() == EntryForm::text) {
    start_characters(word, scratch);
  } else {
    start_bytes(word, scratch);
  }
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].previous = static_cast<std::int32_t>(i) - 1;
    symbols[i].next = static_cast<std::int32_t>(i) + 1;
  }
  if (!symbols.empty()) symbols.back().next = none;
}

void Bpe::start_bytes(std::string_view word, BpeScratch& scratch) const {
  for (const char letter : word) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte_ids_[byte] == none) throw Error("the vocabulary has no token for the byte 0x{:02X}", byte);
    scratch.symbols.push_back({byte_ids_[byte]});
  }
}

// An unknown token is held back until the next known character (or unknown one, unless they fuse). As in
// `tokenizers` the bytes of a fallback do not release it, so it can come after them.
void Bpe::start_characters(std::string_view word, BpeScratch& scratch) const {
  auto& symbols = scratch.symbols;
  bool held = false;
  for (std::size_t at = 0; at < word.size();) {
    const Utf8Char next = decode_utf8(word, at);
    const std::string_view character = word.substr(at, next.length);
    at += next.length;
    const std::int32_t known =
        next.code < 0x80 ? byte_ids_[next.code] : vocabulary_.find_bytes(character).value_or(none);
    if (known == none && byte_fallback_ && append_fallback(character, scratch)) continue;
    if (known == none && unknown_ == none) {
      throw Error("the vocabulary has no token for the character U+{:04X} ('{}') and no unknown token",
                  static_cast<std::uint32_t>(next.code), character);
    }
    if (held && (known != none || !fuse_unknown_)) symbols.push_back({unknown_});
    held = known == none;
    if (known != none) symbols.push_back({known});
  }
  if (held) symbols.push_back({unknown_});
}

// The tokens of a character's bytes, unless one of them has none.
bool Bpe::append_fallback(std::string_view character, BpeScratch& scratch) const {
  const auto id_of = [&](char byte) { return fallback_ids_[static_cast<unsigned char>(byte)]; };
  if (std::any_of(character.begin(), character.end(), [&](char byte) { return id_of(byte) == none; }))
    return false;
  for (const char byte : character) scratch.symbols.push_back({id_of(byte)});
  return true;
}

// Queues the pair that begins at `position`, if it is in the merge list.
void Bpe::push_candidate(BpeScratch& scratch, std::int32_t position) const {
  const auto& left = scratch.symbols[static_cast<std::size_t>(position)];
  if (left.next == none) return;
  const auto* merge = merges_.find(left.id, scratch.symbols[static_cast<std::size_t>(left.next)].id);
  if (merge != nullptr) scratch.heap.push_back({merge->rank, position, merge->id});
}

void Bpe::merge_word(BpeScratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  heap.clear();
  for (std::size_t i = 0; i < symbols.size(); ++i) push_candidate(scratch, static_cast<std::int32_t>(i));
  std::make_heap(heap.begin(), heap.end(), goes_later);
  const auto queue = [&](std::int32_t position) {
    const std::size_t size = heap.size();
    push_candidate(scratch, position);
    if (heap.size() > size) std::push_heap(heap.begin(), heap.end(), goes_later);
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), goes_later);
    const BpeScratch::Candidate best = heap.back();
    heap.pop_back();
    auto& left = symbols[static_cast<std::size_t>(best.position)];
    if (!left.alive || left.next == none) continue;
    auto& right = symbols[static_cast<std::size_t>(left.next)];
    // The pair may have changed since it was queued.
    const auto* merge = merges_.find(left.id, right.id);
    if (merge == nullptr || merge->id != best.id) continue;
    left.id = best.id;
    left.next = right.next;
    right.alive = false;
    if (left.next != none) symbols[static_cast<std::size_t>(left.next)].previous = best.position;
    if (left.previous != none) queue(left.previous);
    queue(best.position);
  }
}

}  // namespace moelab::text
