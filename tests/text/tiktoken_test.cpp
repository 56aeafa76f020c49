#include "core/text/tiktoken.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using Catch::Matchers::ContainsSubstring;
using moelab::FileError;
using moelab::Json;
using namespace moelab::text;
using namespace moelab::testing;
using Ids = std::vector<std::int32_t>;

namespace {

// "a" to "e", a space, "ab", "cd" and "abcd": ranks as tiktoken writes them, in base64.
constexpr const char* small_ranks =
    "YQ== 0\nYg== 1\nYw== 2\nZA== 3\nZQ== 4\nIA== 5\nYWI= 6\nY2Q= 7\nYWJjZA== 8\nYmM= 9\n";

}  // namespace

// The ids follow from tiktoken's rule: of all neighbours whose bytes together are a token, those of the
// lowest rank merge first; a word that is a token stays whole.
TEST_CASE("a file of ranks merges by rank", "[text]") {
  const ScratchDir scratch;
  moelab::write_atomic(scratch / "ranks", small_ranks);
  const TiktokenOptions options{std::string(tiktoken_pattern("gpt2")), {{"<e>", 12}, {"<b>", 10}}};
  const auto tokenizer = Tokenizer::load_tiktoken(scratch / "ranks", options);
  CHECK(tokenizer.encode("abcd") == Ids{8});
  CHECK(tokenizer.encode("abc") == Ids{6, 2});
  CHECK(tokenizer.encode("bcd") == Ids{1, 7});
  CHECK(tokenizer.encode("bce") == Ids{9, 4});
  CHECK(tokenizer.encode("a<e>b <b>") == Ids{0, 12, 1, 5, 10});
  CHECK(tokenizer.decode(Ids{8, 12, 5, 10}) == "abcd<e> <b>");
  CHECK(tokenizer.decode(Ids{8, 12, 5, 11}, true) == "abcd ");
  CHECK(tokenizer.vocab_size() == 13);
  // The pattern and the special tokens are part of what the tokenizer is.
  const auto other = Tokenizer::load_tiktoken(scratch / "ranks", {options.pattern, {}});
  CHECK(other.digest() != tokenizer.digest());
}

TEST_CASE("a directory without tokenizer.json is read from its file of ranks", "[text]") {
  const ScratchDir scratch;
  CHECK_THROWS_WITH(load_tokenizer(scratch.path()),
                    ContainsSubstring("neither tokenizer.json nor tiktoken.model"));
  moelab::write_atomic(scratch / "tiktoken.model", small_ranks);
  CHECK_THROWS_WITH(load_tokenizer(scratch.path()), ContainsSubstring("tokenizer_config.json"));
  const Json config = {
      {"added_tokens_decoder", {{"10", {{"content", "[BOS]"}}}, {"12", {{"content", "<|im_end|>"}}}}}};
  moelab::write_atomic(scratch / "tokenizer_config.json", config.dump());
  const auto tokenizer = load_tokenizer(scratch.path());
  CHECK(tokenizer.encode("[BOS]ab<|im_end|><|reserved_token_11|>") == Ids{10, 6, 12, 11});
  CHECK(tokenizer.has_token(12));
  // The model's vocabulary ends before the reserved tokens do.
  moelab::write_atomic(scratch / "config.json", R"({"vocab_size": 13})");
  CHECK(load_tokenizer(scratch.path()).vocab_size() == 13);
  std::filesystem::copy_file(data_dir() / "text" / "qwen_style.tokenizer.json", scratch / "tokenizer.json");
  CHECK(load_tokenizer(scratch.path()).vocab_size() == 611);
}

TEST_CASE("a damaged file of ranks is an error that names the line", "[text]") {
  const ScratchDir scratch;
  const auto error_of = [&](const std::string& content) {
    moelab::write_atomic(scratch / "ranks", content);
    return [&] {
      Tokenizer::load_tiktoken(scratch / "ranks", {std::string(tiktoken_pattern("gpt2")), {{"<e>", 9}}});
    };
  };
  CHECK_THROWS_WITH(error_of("")(), ContainsSubstring("holds no tokens"));
  CHECK_THROWS_WITH(error_of("YQ== 0\nYg==\n")(),
                    ContainsSubstring("line 2") && ContainsSubstring("<base64> <rank>"));
  CHECK_THROWS_WITH(error_of("YQ== 0\n?! 1\n")(),
                    ContainsSubstring("line 2") && ContainsSubstring("not base64"));
  CHECK_THROWS_WITH(error_of("YQ= 0\n")(), ContainsSubstring("line 1") && ContainsSubstring("not base64"));
  CHECK_THROWS_WITH(error_of("YQ== 0\nYg== x1\n")(),
                    ContainsSubstring("line 2") && ContainsSubstring("'x1'"));
  CHECK_THROWS_WITH(error_of("YQ== 0\nYg== -1\n")(), ContainsSubstring("line 2"));
  CHECK_THROWS_WITH(error_of("YQ== 0\nYg== 0\n")(), ContainsSubstring("gives the id 0 twice"));
  CHECK_THROWS_WITH(error_of("YQ== 0\nYQ== 1\n")(), ContainsSubstring("twice"));
  CHECK_THROWS_WITH(error_of("YQ== 9\n")(), ContainsSubstring("which model.vocab gives to another token"));
  CHECK_THROWS_WITH(error_of("YQ== 9999999\n")(), ContainsSubstring("most ids would have no token"));
  CHECK_THROWS_WITH(tiktoken_pattern("p50k"), ContainsSubstring("'p50k'") && ContainsSubstring("cl100k"));
  moelab::write_atomic(scratch / "config.json", R"({"added_tokens_decoder": {"x": {"content": "a"}}})");
  CHECK_THROWS_WITH(special_tokens_of_config(scratch / "config.json"),
                    ContainsSubstring("added_tokens_decoder['x']"));
}
