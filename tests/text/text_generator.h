// Seeded texts for tokenizers, the same as those of tests/reference/text/text_generator.py, which explains
// the lists of tests/data/text/generator.json.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/text/utf8.h"
#include "tests/support/files.h"

namespace moelab::testing {

// SplitMix64.
class TextRandom {
 public:
  explicit TextRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t below(std::uint64_t limit) {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return (value ^ (value >> 31)) % limit;
  }

  const Json& pick(const Json& items) { return items.at(below(items.size())); }

 private:
  std::uint64_t state_;
};

class TextGenerator {
 public:
  TextGenerator() : source_(read_json(data_dir() / "text" / "generator.json")) {}

  // The text and the random stream behind it, from which random ids are drawn.
  std::pair<std::string, TextRandom> text(std::uint64_t seed, std::uint64_t index) const {
    TextRandom random(seed * 1'000'003 + index);
    const Json& kind = random.pick(source_.at("kinds"));
    std::string text;
    const std::uint64_t n_pieces = 1 + random.below(kind.at("most").get<std::uint64_t>());
    for (std::uint64_t i = 0; i < n_pieces; ++i) {
      const auto list = random.pick(kind.at("lists")).get<std::string>();
      append_piece(random, list, text);
      text += random.pick(kind.at("joins")).get_ref<const std::string&>();
    }
    return {text, random};
  }

  static std::vector<std::int32_t> ids(TextRandom& random, std::uint64_t limit) {
    std::vector<std::int32_t> ids(1 + random.below(12));
    for (auto& id : ids) id = static_cast<std::int32_t>(random.below(limit));
    return ids;
  }

 private:
  void append_piece(TextRandom& random, const std::string& list, std::string& text) const {
    if (list != "point" && list != "run") {
      text += random.pick(source_.at(list)).get_ref<const std::string&>();
      return;
    }
    const Json& range = random.pick(source_.at("ranges"));
    const auto first = range.at(0).get<std::uint64_t>();
    const auto size = range.at(1).get<std::uint64_t>() - first + 1;
    const std::uint64_t n_points = list == "run" ? 1 + random.below(8) : 1;
    for (std::uint64_t i = 0; i < n_points; ++i) {
      text::append_utf8(text, static_cast<char32_t>(first + random.below(size)));
    }
  }

  Json source_;
};

}  // namespace moelab::testing
