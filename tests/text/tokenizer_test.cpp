#include "core/text/tokenizer.h"

#include <algorithm>
#include <thread>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using moelab::text::Tokenizer;
using namespace moelab::testing;

namespace {

std::filesystem::path qwen_style() { return data_dir() / "text" / "qwen_style.tokenizer.json"; }

}  // namespace

// The expected ids are read from the JSON itself.
TEST_CASE("tokens are found by content and give their bytes", "[text]") {
  const auto tokenizer = Tokenizer::load(qwen_style());
  const auto vocab = moelab::read_json(qwen_style()).at("model").at("vocab");
  CHECK(tokenizer.token_id("Ġthe") == vocab.at("Ġthe").get<std::int32_t>());
  CHECK(tokenizer.token_bytes(vocab.at("Ġthe").get<std::int32_t>()) == " the");
  CHECK(tokenizer.token_bytes(vocab.at("Ċ").get<std::int32_t>()) == "\n");
  CHECK(tokenizer.token_bytes(vocab.at("Ã").get<std::int32_t>()) == "\xC3");
  CHECK(tokenizer.token_id("<think>") == 603);
  CHECK(tokenizer.token_bytes(603) == "<think>");
  CHECK_FALSE(tokenizer.token_id(" the"));
  CHECK_FALSE(tokenizer.token_id("<nothing>"));
  CHECK_FALSE(tokenizer.token_id(""));
  CHECK(tokenizer.vocab_size() == 611);
  CHECK_THROWS_AS(tokenizer.token_bytes(611), moelab::Error);
  CHECK_THROWS_AS(tokenizer.token_bytes(-1), moelab::Error);
}

TEST_CASE("special tokens are those that the file marks", "[text]") {
  const auto tokenizer = Tokenizer::load(qwen_style());
  CHECK(tokenizer.is_special(600));
  CHECK_FALSE(tokenizer.is_special(603));
  CHECK_FALSE(tokenizer.is_special(0));
  CHECK_FALSE(tokenizer.is_special(-1));
  CHECK_FALSE(tokenizer.is_special(100000));
  const std::vector<std::int32_t> ids = {600, 603, -5, 100000, 604};
  CHECK(tokenizer.decode(ids) == "<|endoftext|><think></think>");
  CHECK(tokenizer.decode(ids, true) == "<think></think>");
  CHECK(tokenizer.decode({}).empty());
}

TEST_CASE("the digest is that of the file and a moved tokenizer keeps working", "[text]") {
  auto tokenizer = Tokenizer::load(qwen_style());
  const auto ids = tokenizer.encode("The experts aren't idle.");
  CHECK(tokenizer.digest() == moelab::sha256(moelab::read_text(qwen_style())));
  const Tokenizer moved = std::move(tokenizer);
  CHECK(moved.encode("The experts aren't idle.") == ids);
  CHECK(moved.decode(ids) == "The experts aren't idle.");
}

// 17576 distinct words are more than the cache holds, so it starts over; the reference for the words before
// and after that is a tokenizer that has seen nothing else.
TEST_CASE("many threads and more words than the cache holds change no ids", "[text]") {
  const auto tokenizer = Tokenizer::load(qwen_style());
  std::string text;
  for (int i = 0; i < 40000; ++i) {
    text += fmt::format(" w{:c}{:c}{:c}", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676 % 26);
  }
  std::vector<std::vector<std::int32_t>> results(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = tokenizer.encode(text); });
  }
  const std::string_view whole = text;
  const auto head = Tokenizer::load(qwen_style()).encode(whole.substr(0, 500));
  const auto tail = Tokenizer::load(qwen_style()).encode(whole.substr(text.size() - 500));
  for (const auto& result : results) {
    REQUIRE(result == results[0]);
    REQUIRE(result.size() > head.size() + tail.size());
    CHECK(std::equal(head.begin(), head.end(), result.begin()));
    CHECK(std::equal(tail.rbegin(), tail.rend(), result.rbegin()));
    CHECK(tokenizer.decode(result) == text);
  }
}

// Words of character vocabularies are cut before marks where no merge crosses; a run of marks must stay
// whole. Worked by hand: "▁▁" merges first, from the left, then two of them, then "▁a".
TEST_CASE("runs of the mark for spaces merge as one", "[text]") {
  const moelab::Json file = {{"decoder", {{"type", "Fuse"}}},
                             {"model",
                              {{"type", "BPE"},
                               {"vocab", {{"▁", 0}, {"a", 1}, {"▁▁", 2}, {"▁▁▁▁", 3}, {"▁a", 4}}},
                               {"merges", moelab::Json::array({"▁ ▁", "▁▁ ▁▁", "▁ a"})}}}};
  const auto tokenizer = Tokenizer::parse(file.dump(), "marks");
  CHECK(tokenizer.encode("a▁▁▁▁a") == std::vector<std::int32_t>{1, 3, 1});
  CHECK(tokenizer.encode("a▁▁▁a▁a") == std::vector<std::int32_t>{1, 2, 4, 4});
  CHECK(tokenizer.encode("▁▁▁▁▁a▁") == std::vector<std::int32_t>{3, 4, 0});
  REQUIRE_THROWS_WITH(tokenizer.encode("a▁é"), Catch::Matchers::ContainsSubstring("U+00E9"));
}
