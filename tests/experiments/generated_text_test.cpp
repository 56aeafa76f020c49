#include "experiments/generated_text.h"

#include "core/text/utf8.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;
using Opened = text::ThinkingOptions::Opened;

namespace {

text::Tokenizer tokenizer_of_demo() {
  return text::Tokenizer::load(testing::source_dir() / "models" / "demo" / "mixed" / "tokenizer.json");
}

GeneratedTextOptions thinking_options(Opened opened = Opened::nothing) {
  GeneratedTextOptions options;
  options.thinking = text::thinking_format("think");
  options.opened = opened;
  return options;
}

struct Looks {
  std::string dim, plain;
};

// All pieces of a text that is pushed token by token, each checked to be whole characters.
Looks looks_of(const text::Tokenizer& tokenizer, const std::vector<std::int32_t>& tokens,
               const GeneratedTextOptions& options) {
  GeneratedText text(tokenizer, options);
  Looks looks;
  const auto add = [&](const TextPart& part) {
    CHECK(!text::first_invalid_utf8(part.text));
    (part.is_dim ? looks.dim : looks.plain) += part.text;
  };
  for (const std::int32_t token : tokens) add(text.push(token));
  add(text.finish());
  return looks;
}

}  // namespace

TEST_CASE("thinking and its markers are dim, the answer is not", "[experiments]") {
  const auto tokenizer = tokenizer_of_demo();
  const auto looks = [&](const std::string& text, Opened opened) {
    return looks_of(tokenizer, tokenizer.encode(text), thinking_options(opened));
  };
  const Looks whole = looks("<think>\n1 > 0\n</think>\nYes, 1 > 0.", Opened::nothing);
  CHECK(whole.dim == "<think>\n1 > 0\n</think>");
  CHECK(whole.plain == "\nYes, 1 > 0.");
  const Looks opened = looks("so</think> yes", Opened::thinking);
  CHECK(opened.dim == "so</think>");
  CHECK(opened.plain == " yes");
  const Looks never_closed = looks("and so on", Opened::thinking);
  CHECK(never_closed.dim == "and so on");
  CHECK(looks("and so on", Opened::nothing).plain == "and so on");
}

TEST_CASE("a marker that is spelled in several tokens is found too", "[experiments]") {
  const auto tokenizer = tokenizer_of_demo();
  // The tags of another family are no tokens of this tokenizer.
  REQUIRE(!tokenizer.token_id("<thought>"));
  GeneratedTextOptions options = thinking_options();
  options.thinking.think_open = "<thought>";
  options.thinking.think_close = "</thought>";
  const Looks looks = looks_of(tokenizer, tokenizer.encode("<thought>so</thought> yes"), options);
  CHECK(looks.plain.ends_with(" yes"));
  CHECK(looks.dim.find("so</thought") != std::string::npos);
}

TEST_CASE("characters come whole though tokens cut them, and nothing is lost", "[experiments]") {
  const auto tokenizer = tokenizer_of_demo();
  const std::string text = "caf\xC3\xA9 \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80!";
  const auto tokens = tokenizer.encode(text);
  // The tokenizer was trained on English: these characters are several tokens.
  REQUIRE(tokens.size() > 12);
  CHECK(looks_of(tokenizer, tokens, thinking_options()).plain == text);
  // Cut inside the last character but one: what is there of it is one U+FFFD, as decoding says.
  const std::vector<std::int32_t> cut(tokens.begin(), tokens.end() - 2);
  CHECK(looks_of(tokenizer, cut, thinking_options()).plain == tokenizer.decode(cut));
}

TEST_CASE("tokens that end the turn give no text, and are counted as neither thinking nor answer",
          "[experiments]") {
  const auto tokenizer = tokenizer_of_demo();
  auto tokens = tokenizer.encode("<think>1 2</think>3 4");
  const std::size_t thinking = tokenizer.encode("1 2").size();
  const std::size_t answer = tokenizer.encode("3 4").size();
  tokens.push_back(tokenizer.token_id("<|endoftext|>").value());
  GeneratedTextOptions options = thinking_options();
  options.silent_ids = {tokens.back()};
  options.thinking.end_ids = options.silent_ids;
  CHECK(looks_of(tokenizer, tokens, options).plain == "3 4");
  GeneratedText text(tokenizer, options);
  for (const std::int32_t token : tokens) text.push(token);
  const text::ThinkingSplit split = text.split(true);
  CHECK(split.n_thinking() == thinking);
  CHECK(split.n_answer() == answer);
  CHECK(split.closed);
}
