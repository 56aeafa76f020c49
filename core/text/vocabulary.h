// The model's own vocabulary: from a token's text or bytes to its id and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace moelab::text {

// How entries are written: bytes as letters ("Ġthe"), or plain text ("▁the").
enum class EntryForm { byte_letters, text };

class Vocabulary {
 public:
  // Entries as model.vocab writes them. Throws FileError for an id that is negative, absurdly large or given
  // twice, for an entry given twice, and when the ids leave most of the table empty.
  Vocabulary(const std::vector<std::pair<std::string, std::int64_t>>& entries, EntryForm form,
             std::string_view origin);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  // By the entry as the file writes it ("Ġthe").
  std::optional<std::int32_t> find(std::string_view entry) const;
  // By the bytes that it stands for (" the"); in a vocabulary of text these are the entry itself.
  std::optional<std::int32_t> find_bytes(std::string_view bytes) const;

  // The bytes of a token, or null where no entry has the id. An entry that is not made of byte letters gives
  // its own UTF-8, as the ByteLevel decoder of `tokenizers` does.
  const std::string* bytes(std::int32_t id) const;

  EntryForm form() const { return form_; }

  // Entries; ids may have gaps.
  std::size_t count() const { return count_; }
  // Largest id + 1.
  std::size_t size() const { return bytes_.size(); }

 private:
  using Index = std::unordered_map<std::string_view, std::int32_t>;

  EntryForm form_;
  // By id. The indices below hold views into these strings, so the vector never changes after construction.
  std::vector<std::string> bytes_;
  std::vector<bool> known_;
  // Entries of byte letters by their bytes, all others by their text; the two can collide, hence two indices.
  Index by_bytes_;
  Index by_text_;
  std::size_t count_ = 0;
};

// Ids above this are taken for damage: no published vocabulary comes near, and tables are as long as the
// largest id.
constexpr std::int64_t largest_token_id = (1 << 24) - 1;

}  // namespace moelab::text
