#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using moelab::Json;
using moelab::text::DecodeStream;
using moelab::text::Tokenizer;
using namespace moelab::testing;

namespace {

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids,
                                   bool skip = false) {
  DecodeStream stream(tokenizer, skip);
  std::vector<std::string> pieces;
  for (const std::int32_t id : ids) pieces.push_back(stream.push(id));
  pieces.push_back(stream.finish());
  return pieces;
}

// "▁", "a", "<0x..>" for the bytes of "é" and 0xFF, and a special token.
Tokenizer llama() {
  const Json step = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                       {{"type", "ByteFallback"}},
                       {{"type", "Fuse"}},
                       {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 1}}}}};
  const Json special = {{"id", 5},         {"content", "<s>"},    {"single_word", false}, {"lstrip", false},
                        {"rstrip", false}, {"normalized", false}, {"special", true}};
  const Json file = {
      {"added_tokens", Json::array({special})},
      {"decoder", step},
      {"model",
       {{"type", "BPE"},
        {"byte_fallback", true},
        {"vocab", {{"▁", 0}, {"a", 1}, {"<0xC3>", 2}, {"<0xA9>", 3}, {"<0xFF>", 4}, {"<s>", 5}, {"▁a", 6}}},
        {"merges", Json::array({"▁ a"})}}}};
  return Tokenizer::parse(file.dump(), "llama");
}

}  // namespace

// The vocabulary's first 256 entries are single bytes; the pieces follow from UTF-8.
TEST_CASE("a character comes with the token that completes it", "[text]") {
  const auto tokenizer = Tokenizer::load(data_dir() / "text" / "qwen_style.tokenizer.json");
  const auto byte = [&](const char* letter) { return tokenizer.token_id(letter).value(); };
  // U+1F44D is F0 9F 91 8D, written by the letters ð Ł ĳ į.
  CHECK(pieces_of(tokenizer, {byte("a"), byte("ð"), byte("Ł"), byte("ĳ"), byte("į"), byte("b")}) ==
        std::vector<std::string>{"a", "", "", "", "👍", "b", ""});
  // What cannot become a character any more is replaced at once, what is left at the end with the rest.
  CHECK(pieces_of(tokenizer, {byte("ð"), byte("a"), byte("Ã")}) ==
        std::vector<std::string>{"", "\uFFFDa", "", "\uFFFD"});
  CHECK(pieces_of(tokenizer, {byte("ÿ"), 600, 9999, -1}, true) ==
        std::vector<std::string>{"\uFFFD", "", "", "", ""});
}

TEST_CASE("byte tokens come when their run ends and spaces at the end with the rest", "[text]") {
  const auto tokenizer = llama();
  CHECK(tokenizer.encode("éa▁a") == std::vector<std::int32_t>{2, 3, 1, 6});
  // The first space is stripped, the last one too; a run of bytes is valid or not as a whole.
  CHECK(pieces_of(tokenizer, {0, 1, 6, 2, 3, 1, 0}) ==
        std::vector<std::string>{"", "a", " a", "", "", "éa", "", ""});
  CHECK(pieces_of(tokenizer, {6, 2, 3, 4, 1}) ==
        std::vector<std::string>{"a", "", "", "", "\uFFFD\uFFFD\uFFFDa", ""});
  CHECK(pieces_of(tokenizer, {6, 0, 1, 2, 3}) == std::vector<std::string>{"a", "", " a", "", "", "é"});
  CHECK(pieces_of(tokenizer, {5, 6, 5}, true) == std::vector<std::string>{"", "a", "", ""});
  CHECK(tokenizer.token_bytes(6) == " a");
  CHECK(tokenizer.token_bytes(2) == "\xC3");
}
