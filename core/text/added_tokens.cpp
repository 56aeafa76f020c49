#include "core/text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

// Word characters of the engine that `tokenizers` uses here (UTS 18, Annex C).
bool is_word_character(std::string_view character, RegexScratch& scratch) {
  static const Regex word = Regex::word_character();
  std::vector<Span> spans;
  word.cut(character, scratch, spans);
  return spans.front().matched;
}

bool stands_alone(std::string_view before, std::string_view after, RegexScratch& scratch) {
  if (!before.empty() && is_word_character(before.substr(last_character(before)), scratch)) return false;
  return after.empty() || !is_word_character(after.substr(0, decode_utf8(after, 0).length), scratch);
}

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

AddedToken read_token(const Json& value, const Normalizer& normalizer, std::string_view origin,
                      const std::string& field) {
  const std::string where = fmt::format("{}: {}", origin, field);
  if (!value.is_object()) throw FileError("{} must be an object", where);
  require_known_keys(value, {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"},
                     origin, field);
  AddedToken token;
  const auto id = json_get<std::int64_t>(value, "id", where);
  if (id < 0 || id > largest_token_id)
    throw FileError("{}.id is {}, not between 0 and {}", where, id, largest_token_id);
  token.id = static_cast<std::int32_t>(id);
  token.content = json_get<std::string>(value, "content", where);
  token.single_word = json_get<bool>(value, "single_word", where);
  token.lstrip = json_get<bool>(value, "lstrip", where);
  token.rstrip = json_get<bool>(value, "rstrip", where);
  token.normalized = json_get<bool>(value, "normalized", where);
  token.special = json_get<bool>(value, "special", where);
  RegexScratch scratch;
  std::string storage;
  token.pattern = token.normalized ? normalizer.apply(token.content, scratch, storage).text
                                   : std::string_view(token.content);
  if (token.pattern.empty() && !token.content.empty()) {
    throw FileError("{}.content is '{}', of which the normalizer leaves nothing", where, token.content);
  }
  return token;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<const AddedToken*> tokens, std::string_view origin)
    : tokens_(std::move(tokens)) {
  // std::string compares bytes as unsigned, as first_ needs.
  std::sort(tokens_.begin(), tokens_.end(),
            [](const AddedToken* a, const AddedToken* b) { return a->pattern < b->pattern; });
  const auto twin =
      std::adjacent_find(tokens_.begin(), tokens_.end(),
                         [](const AddedToken* a, const AddedToken* b) { return a->pattern == b->pattern; });
  if (twin != tokens_.end()) {
    throw FileError("{}: the added tokens {} and {} are the same text once normalised", origin, (*twin)->id,
                    (*std::next(twin))->id);
  }
  for (const AddedToken* token : tokens_) ++first_[byte_at(token->pattern, 0) + 1U];
  for (std::size_t byte = 0; byte < 256; ++byte) first_[byte + 1] += first_[byte];
}

// Narrows the sorted range to the tokens that agree with the text, one byte at a time.
const AddedToken* AddedTokenMatcher::longest_at(std::string_view text, std::size_t at) const {
  std::size_t low = first_[byte_at(text, at)];
  std::size_t high = first_[byte_at(text, at) + 1U];
  const AddedToken* longest = nullptr;
  for (std::size_t depth = 1; low < high; ++depth) {
    // Among tokens with an equal beginning the one that ends here sorts first.
    if (tokens_[low]->pattern.size() == depth) longest = tokens_[low++];
    if (at + depth >= text.size()) break;
    const unsigned char wanted = byte_at(text, at + depth);
    const auto begin = tokens_.begin() + static_cast<std::ptrdiff_t>(low);
    const auto end = tokens_.begin() + static_cast<std::ptrdiff_t>(high);
    const auto first = std::partition_point(
        begin, end, [&](const AddedToken* token) { return byte_at(token->pattern, depth) < wanted; });
    const auto last = std::partition_point(
        first, end, [&](const AddedToken* token) { return byte_at(token->pattern, depth) == wanted; });
    low = static_cast<std::size_t>(first - tokens_.begin());
    high = static_cast<std::size_t>(last - tokens_.begin());
  }
  return longest;
}

void AddedTokenMatcher::cut(std::string_view text, RegexScratch& scratch, std::vector<Piece>& pieces) const {
  std::size_t covered = 0;
  for (std::size_t at = 0; at < text.size() && !tokens_.empty();) {
    const AddedToken* token = longest_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + token->pattern.size();
    at = end;
    if (token->single_word && !stands_alone(text.substr(0, begin), text.substr(end), scratch)) continue;
    // White space that the token before has swallowed stays with that one.
    if (token->lstrip) begin = std::max(begin - white_space_at_end(text.substr(0, begin)), covered);
    if (token->rstrip) end += white_space_at_start(text.substr(end));
    if (covered < begin) pieces.push_back({text.substr(covered, begin - covered), -1});
    pieces.push_back({text.substr(begin, end - begin), token->id});
    covered = end;
  }
  if (covered < text.size()) pieces.push_back({text.substr(covered), -1});
}

AddedTokens::AddedTokens(const Json& head, const Vocabulary& vocabulary, const Normalizer& normalizer,
                         bool ids_are_free, std::string_view origin)
    : ids_are_free_(ids_are_free) {
  const auto list = head.find("added_tokens");
  if (list == head.end() || list->is_null()) return;
  if (!list->is_array()) throw FileError("{}: added_tokens must be an array", origin);
  std::size_t index = 0;
  for (const Json& value : *list) {
    add(read_token(value, normalizer, origin, fmt::format("added_tokens[{}]", index)), index, vocabulary,
        origin);
    ++index;
  }
  std::vector<const AddedToken*> raw;
  std::vector<const AddedToken*> normalized;
  for (const auto& [id, token] : by_id_) (token.normalized ? normalized : raw).push_back(&token);
  raw_ = AddedTokenMatcher(std::move(raw), origin);
  normalized_ = AddedTokenMatcher(std::move(normalized), origin);
}

void AddedTokens::add(AddedToken token, std::size_t index, const Vocabulary& vocabulary,
                      std::string_view origin) {
  // `tokenizers` passes over a token without content.
  if (token.content.empty()) return;
  if (by_content_.contains(token.content)) {
    throw FileError("{}: added_tokens[{}] gives '{}' a second time", origin, index, token.content);
  }
  const auto own = vocabulary.find(token.content);
  const auto next = static_cast<std::int32_t>(vocabulary.count() + n_new_);
  const std::int32_t expected = own.value_or(next);
  if (token.id != expected && !ids_are_free_) {
    throw FileError("{}: added_tokens[{}] ('{}') has the id {}, but {} is {}", origin, index, token.content,
                    token.id, own ? "its id in model.vocab" : "the next free id", expected);
  }
  if (by_id_.contains(token.id)) {
    throw FileError("{}: added_tokens[{}] ('{}') has the id {}, which another added token has", origin, index,
                    token.content, token.id);
  }
  if ((!own || *own != token.id) && vocabulary.bytes(token.id) != nullptr) {
    throw FileError("{}: added_tokens[{}] ('{}') has the id {}, which model.vocab gives to another token",
                    origin, index, token.content, token.id);
  }
  if (!own) ++n_new_;
  by_content_.emplace(token.content, token.id);
  by_id_.emplace(token.id, std::move(token));
}

const AddedToken* AddedTokens::find(std::int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

bool AddedTokens::is_hidden(const AddedToken& token) const {
  const AddedToken* written = token.pattern == token.content ? &token : find(std::string_view(token.pattern));
  return written != nullptr && written->special;
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(content);
  return found == by_content_.end() ? nullptr : find(found->second);
}

}  // namespace moelab::text
