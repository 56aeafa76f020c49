#include "evaluators/data/near_duplicates.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace moelab::data {
namespace {

// Sets of questions that were joined (union-find with path halving).
class Joined {
 public:
  explicit Joined(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<std::size_t> parent_;
};

std::vector<std::string_view> words_of(std::string_view normalized) {
  std::vector<std::string_view> words;
  for (std::size_t start = 0; start < normalized.size();) {
    const std::size_t end = std::min(normalized.find(' ', start), normalized.size());
    words.push_back(normalized.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

// The bytes from the first word to the last of neighbours in one text.
std::string_view stretch(const std::vector<std::string_view>& words, std::size_t first, std::size_t count) {
  const std::string_view last = words[first + count - 1];
  return {words[first].data(), static_cast<std::size_t>(last.data() + last.size() - words[first].data())};
}

// Joins the questions that give the same key.
void join_equal(const std::vector<std::string_view>& keys, Joined& joined) {
  std::unordered_map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty()) continue;
    const auto [found, is_new] = first.try_emplace(keys[i], i);
    if (!is_new) joined.join(i, found->second);
  }
}

using Triples = std::vector<std::uint32_t>;  // ranks of a text's distinct word triples, the rarest first

// Texts of fewer than three words have no triple, and are compared as wholes alone.
std::vector<Triples> rank_triples(const std::vector<std::vector<std::string_view>>& words) {
  std::unordered_map<std::string_view, std::uint32_t> counts;
  std::vector<std::vector<std::string_view>> texts(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (std::size_t w = 0; w + 3 <= words[i].size(); ++w) texts[i].push_back(stretch(words[i], w, 3));
    std::sort(texts[i].begin(), texts[i].end());
    texts[i].erase(std::unique(texts[i].begin(), texts[i].end()), texts[i].end());
    for (const std::string_view triple : texts[i]) ++counts[triple];
  }
  std::vector<std::pair<std::uint32_t, std::string_view>> order;
  for (const auto& [triple, count] : counts) order.emplace_back(count, triple);
  std::sort(order.begin(), order.end());
  std::unordered_map<std::string_view, std::uint32_t> rank;
  for (const auto& [count, triple] : order) rank.emplace(triple, static_cast<std::uint32_t>(rank.size()));
  std::vector<Triples> ranked(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view triple : texts[i]) ranked[i].push_back(rank.at(triple));
    std::sort(ranked[i].begin(), ranked[i].end());
  }
  return ranked;
}

bool is_similar(const Triples& a, const Triples& b, double similarity) {
  Triples common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  const auto all = static_cast<double>(a.size() + b.size() - common.size());
  return static_cast<double>(common.size()) >= similarity * all;
}

// Two sets of triples whose Jaccard index is at least s agree in one of the first |A| - ceil(s |A|) + 1 of
// each.
void join_similar(const std::vector<Triples>& triples, double similarity, Joined& joined) {
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> holders;
  for (std::size_t i = 0; i < triples.size(); ++i) {
    const auto size = static_cast<double>(triples[i].size());
    // The small step down keeps rounding from making a prefix too short; a longer one costs time alone.
    const auto prefix = triples[i].size() - static_cast<std::size_t>(std::ceil(similarity * size - 1e-9)) + 1;
    for (std::size_t t = 0; t < std::min(prefix, triples[i].size()); ++t) {
      for (const std::size_t other : holders[triples[i][t]])
        if (joined.root(i) != joined.root(other) && is_similar(triples[i], triples[other], similarity))
          joined.join(i, other);
      holders[triples[i][t]].push_back(i);
    }
  }
}

}  // namespace

std::string normalized_text(std::string_view text) {
  std::string normalized;
  bool is_open = false;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char character = text::decode_utf8(text, at);
    at += character.length;
    const auto code = static_cast<utf8proc_int32_t>(character.code);
    const utf8proc_category_t category = character.valid ? utf8proc_category(code) : UTF8PROC_CATEGORY_CN;
    const bool is_word = category <= UTF8PROC_CATEGORY_NO && category != UTF8PROC_CATEGORY_CN;
    if (is_word && !is_open && !normalized.empty()) normalized += ' ';
    if (is_word) text::append_utf8(normalized, static_cast<char32_t>(utf8proc_tolower(code)));
    is_open = is_word;
  }
  return normalized;
}

std::vector<std::string> duplicate_groups(std::span<const GroupItem> items, const GroupOptions& options) {
  if (!(options.similarity > 0 && options.similarity <= 1))
    throw Error("the similarity of near-duplicates is {}, it must lie above 0 and up to 1",
                options.similarity);
  std::vector<std::string> texts;
  for (const GroupItem& item : items) texts.push_back(normalized_text(item.text));
  std::vector<std::vector<std::string_view>> words;
  std::vector<std::string_view> wholes, stems;
  for (const std::string& text : texts) {
    words.push_back(words_of(text));
    wholes.push_back(text);
    const bool has_stem = options.stem_words > 0 && words.back().size() >= options.stem_words;
    stems.push_back(has_stem ? stretch(words.back(), 0, options.stem_words) : std::string_view());
  }
  Joined joined(items.size());
  join_equal(wholes, joined);
  join_equal(stems, joined);
  join_similar(rank_triples(words), options.similarity, joined);
  std::map<std::size_t, std::string> name;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [found, is_new] = name.try_emplace(joined.root(i), items[i].name);
    if (!is_new) found->second = std::min(found->second, items[i].name);
  }
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < items.size(); ++i) groups.push_back(name.at(joined.root(i)));
  return groups;
}

}  // namespace moelab::data
