// moelab generate --compare: original and steered in two columns.
#include <csignal>

#include "experiments/cli.h"
#include "experiments/compare_generations.h"
#include "tests/cli/generate_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// One column of a side-by-side text, the lines behind one another without their padding and breaks.
std::string column_text(const std::string& out, bool is_right) {
  std::string text;
  for (std::size_t begin = 0, end = 0; begin < out.size(); begin = end + 1) {
    end = out.find('\n', begin);
    const std::string line = out.substr(begin, end - begin);
    const std::size_t bar = line.find(" |");
    if (bar == std::string::npos) break;
    text += is_right ? line.substr(std::min(bar + 3, line.size())) : line.substr(0, bar);
  }
  std::erase(text, ' ');
  return text;
}

// Columns of the widest line of the side-by-side part; its texts are ASCII.
std::size_t widest_row(const std::string& out) {
  std::size_t widest = 0;
  for (std::size_t begin = 0, end = 0; begin < out.size(); begin = end + 1) {
    end = std::min(out.find('\n', begin), out.size());
    const std::string line = out.substr(begin, end - begin);
    if (line.find(" | ") != std::string::npos) widest = std::max(widest, line.find_last_not_of(" \r") + 1);
  }
  return widest;
}

std::string without_blanks(std::string text) {
  std::erase_if(text, [](char letter) { return letter == ' ' || letter == '\n'; });
  return text;
}

}  // namespace

TEST_CASE(
    "compare shows both texts, their first different token and its probabilities, as transformers has them",
    "[cli]") {
  const Json cases = generate_cases();
  REQUIRE(cases.at("plans").size() == 2);
  for (const Json& entry : cases.at("plans")) {
    INFO(entry.dump());
    const ProgramResult result = generate(
        {"--prompt", entry.at("prompt"), "experts=" + entry.at("experts").get<std::string>(),
         fmt::format("alpha={}", entry.at("alpha").get<double>()), "max_new_tokens=60", "--compare"});
    CHECK(result.status == 0);
    CHECK_THAT(result.out, ContainsSubstring(fmt::format("First different token: number {} of the answer",
                                                         entry.at("position").get<int>() + 1)));
    for (std::size_t model = 0; model < 2; ++model) {
      // The marks stand in the text; the line that ends the column follows it.
      std::string column = column_text(result.out, model == 1);
      const std::size_t open = column.find(">>"), close = column.find("<<");
      REQUIRE((open < close && close != std::string::npos));
      CHECK(column.substr(open + 2, close - open - 2) ==
            without_blanks(entry.at("tokens")[model].get<std::string>()));
      column.erase(close, 2).erase(open, 2);
      CHECK_THAT(column,
                 ContainsSubstring(without_blanks(entry.at("texts")[model].get<std::string>()) + "["));
      const auto& chances = entry.at("chances");
      CHECK_THAT(result.out, ContainsSubstring(fmt::format("{:.4f}", chances[model][0].get<double>())));
      CHECK_THAT(result.out, ContainsSubstring(fmt::format("{:.4f}", chances[model][1].get<double>())));
    }
    CHECK_THAT(result.out, ContainsSubstring("plan acted: "));
  }
}

TEST_CASE("compare keeps to 80 columns away from a terminal, and to the terminal's width on one", "[cli]") {
  const Json entry = generate_cases().at("plans")[0];
  const std::vector<std::string> words = generate_words(
      mixed_model(), {"--prompt", entry.at("prompt"), "experts=" + entry.at("experts").get<std::string>(),
                      "alpha=30", "thinking=none", "--compare"});
  const std::size_t plain = widest_row(run_moelab(words).out);
  CHECK(plain <= 80);
  CHECK(plain > 60);
  boost::process::environment environment = boost::this_process::environment();
  environment["NO_COLOR"] = "1";
  const std::size_t narrow = widest_row(run_on_terminal(words, environment, 50));
  CHECK(narrow <= 50);
  CHECK(narrow > 40);
}

TEST_CASE("a plan that changes no token is said to change none, and draws are equal on both sides", "[cli]") {
  // alpha = 1 multiplies by one.
  const ProgramResult result = generate({"--prompt", "Q: What is", "experts=1:0", "alpha=1",
                                         "temperature=1.5", "seed=5", "max_new_tokens=20", "--compare"});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("\nNo token differs.\n"));
  CHECK_THAT(result.out, ContainsSubstring("plan applied_no_effect: 0 of "));
  CHECK(result.out.find(">>") == std::string::npos);
}

TEST_CASE("the steered column is what the steered model writes alone", "[cli]") {
  const Json entry = generate_cases().at("plans")[0];
  const ProgramResult alone =
      generate({"--prompt", entry.at("prompt"), "experts=" + entry.at("experts").get<std::string>(),
                "alpha=30", "max_new_tokens=60"});
  CHECK(alone.out.starts_with(entry.at("texts")[1].get<std::string>() + "\n["));
  CHECK_THAT(alone.out, ContainsSubstring("\n[plan acted: "));
}

TEST_CASE("a comparison that is interrupted shows what there was", "[cli]") {
  const Json entry = generate_cases().at("plans")[0];
  std::vector<std::string> words = generate_words(
      mixed_model(), {"--prompt", entry.at("prompt"), "experts=" + entry.at("experts").get<std::string>()});
  words.erase(words.begin());
  using namespace moelab::experiments;
  const GenerateTrial trial = prepare_trial(parse_arguments(verb_generate().spec, words));
  const StopSignals signals;
  std::raise(SIGINT);
  const Comparison comparison = compare_generations(trial, signals);
  CHECK(comparison.is_interrupted);
  CHECK(!comparison.effect);
  // The signal is looked at after each token; the batch reads the original's row first.
  CHECK(comparison.samples[0].tokens.size() == 1);
  CHECK(comparison.samples[1].tokens.empty());
  const std::string text = comparison_text(trial, comparison, {});
  CHECK_THAT(text, ContainsSubstring("[interrupted after 1 tokens; "));
  CHECK_THAT(text, ContainsSubstring("No token differs.\n[interrupted]\n"));
}
