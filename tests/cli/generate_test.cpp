// moelab generate, run as a user would.
#include "tests/cli/run_binary.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

ProgramResult generate(std::vector<std::string> more) {
  std::vector<std::string> words = {"generate", (source_dir() / "models" / "demo" / "mixed").string()};
  words.insert(words.end(), more.begin(), more.end());
  return run_moelab(words);
}

}  // namespace

TEST_CASE("generate writes text, says why it stopped, and repeats a draw of the same seed", "[cli]") {
  const ProgramResult greedy = generate({"--prompt", "Q: What is", "max_new_tokens=6"});
  CHECK(greedy.status == 0);
  CHECK_THAT(greedy.out, ContainsSubstring("tokens, stopped by "));
  CHECK(greedy.out.find("[") > 1);  // there is text before the closing line
  const std::vector<std::string> draw = {"--prompt", "Q: What is", "max_new_tokens=12", "temperature=2",
                                         "seed=3"};
  const ProgramResult drawn = generate(draw);
  CHECK(drawn.status == 0);
  CHECK(generate(draw).out == drawn.out);
  auto other = draw;
  other.back() = "seed=4";
  CHECK(generate(other).out != drawn.out);
  const ProgramResult steered =
      generate({"--prompt", "Q: What is", "max_new_tokens=6", "experts=1:0", "alpha=20"});
  CHECK(steered.status == 0);
  CHECK_THAT(steered.out, ContainsSubstring(", plan acted]"));
}

TEST_CASE("generate refuses what it cannot do, before anything is written", "[cli]") {
  const auto refuses = [](const std::vector<std::string>& words, const std::string& text) {
    const ProgramResult result = generate(words);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring(text));
  };
  refuses({}, "--prompt");
  refuses({"--prompt", "Q", "top_p=0"}, "sampling.top_p");
  refuses({"--prompt", "Q", "temperature=0"}, "sampling.temperature");
  refuses({"--prompt", "Q", "experts=99:0"}, "99");
  refuses({"--prompt", "Q", "seed=-1"}, "seed");
  refuses({"--prompt", "Q", "experts=1:0", "plan=x.csv"}, "not both");
}
