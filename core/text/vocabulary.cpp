#include "core/text/vocabulary.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/byte_letters.h"

namespace moelab::text {

namespace {

// Published vocabularies have few gaps; a file of one entry must not ask for a table of millions.
constexpr std::int64_t ids_for_each_entry = 16;
constexpr std::int64_t spare_ids = 65536;

}  // namespace

Vocabulary::Vocabulary(const std::vector<std::pair<std::string, std::int64_t>>& entries, EntryForm form,
                       std::string_view origin)
    : form_(form) {
  std::int64_t largest = -1;
  for (const auto& [entry, id] : entries) {
    if (id < 0 || id > largest_token_id) {
      throw FileError("{}: model.vocab['{}'] is {}, not an id between 0 and {}", origin, entry, id,
                      largest_token_id);
    }
    largest = std::max(largest, id);
  }
  count_ = entries.size();
  if (largest > static_cast<std::int64_t>(count_) * ids_for_each_entry + spare_ids) {
    throw FileError("{}: model.vocab has {} entries and ids up to {}; most ids would have no token", origin,
                    count_, largest);
  }
  bytes_.resize(static_cast<std::size_t>(largest + 1));
  known_.resize(bytes_.size());
  by_bytes_.reserve(entries.size());
  for (const auto& [entry, id] : entries) {
    const auto at = static_cast<std::size_t>(id);
    if (known_[at])
      throw FileError("{}: model.vocab gives the id {} twice, the second time to '{}'", origin, id, entry);
    known_[at] = true;
    auto raw = form == EntryForm::text ? std::optional(entry) : bytes_of_letters(entry);
    bytes_[at] = raw ? std::move(*raw) : entry;
    const auto [place, fresh] =
        (raw ? by_bytes_ : by_text_).emplace(bytes_[at], static_cast<std::int32_t>(id));
    if (!fresh) {
      throw FileError("{}: model.vocab has '{}' twice, with the ids {} and {}", origin, entry, place->second,
                      id);
    }
  }
}

std::optional<std::int32_t> Vocabulary::find(std::string_view entry) const {
  if (form_ == EntryForm::text) return find_bytes(entry);
  if (const auto raw = bytes_of_letters(entry)) return find_bytes(*raw);
  const auto found = by_text_.find(entry);
  return found == by_text_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int32_t> Vocabulary::find_bytes(std::string_view bytes) const {
  const auto found = by_bytes_.find(bytes);
  return found == by_bytes_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* Vocabulary::bytes(std::int32_t id) const {
  const auto at = static_cast<std::size_t>(id);
  return id >= 0 && at < bytes_.size() && known_[at] ? &bytes_[at] : nullptr;
}

}  // namespace moelab::text
