#include <chrono>

#include "core/base/files.h"
#include "core/base/json.h"
#include "evaluators/integer.h"
#include "evaluators/mcq_generated.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::evaluators {
namespace {

using Catch::Matchers::ContainsSubstring;

// The cases of a file that tests/reference/evaluators/make_written_answers.py made; the first line says with
// what.
std::vector<Json> reference_of(const std::string& file) {
  const auto path = testing::data_dir() / "evaluators" / file;
  std::vector<Json> cases;
  for (const std::string& line : read_lines(path)) cases.push_back(parse_json(line, path.string()));
  cases.erase(cases.begin());
  return cases;
}

template <typename Action>
double milliseconds(const Action& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Texts that make a careless search quadratic.
std::vector<std::string> hostile_texts() {
  std::vector<std::string> texts(5);
  for (int i = 0; i < 100'000 / 8; ++i) texts[0] += "answer: ";
  for (int i = 0; i < 100'000 / 7; ++i) texts[1] += "\\boxed{";
  for (int i = 0; i < 50'000; ++i) texts[2] += "_A";
  for (int i = 0; i < 100'000 / 8; ++i) texts[3] += "answer:\n";
  texts[4] = std::string(100'000, '{');
  return texts;
}

}  // namespace

TEST_CASE("The letter and the rule are those of the published regular expressions", "[evaluators]") {
  const auto cases = reference_of("letters.jsonl");
  REQUIRE(cases.size() >= 900);
  for (const Json& each : cases) {
    const auto text = each.at("text").get<std::string>();
    INFO(each.dump());
    const auto found = find_letter(text);
    CHECK((found ? std::string(1, found->letter) : "") == each.at("answer").get<std::string>());
    CHECK((found ? found->rule : "none") == each.at("rule").get<std::string>());
    if (found) CHECK(found->at == each.at("at").get<std::size_t>());
  }
}

TEST_CASE("The integer is that of the rule as Python words it", "[evaluators]") {
  const auto cases = reference_of("integers.jsonl");
  REQUIRE(cases.size() >= 900);
  for (const Json& each : cases) {
    INFO(each.dump());
    const Verdict verdict = judge_integer(each.at("text").get<std::string>(), true, 643);
    CHECK(verdict.answer == each.at("answer").get<std::string>());
    CHECK(verdict.rule == each.at("rule").get<std::string>());
    CHECK(verdict.correct == (verdict.answer == "643"));
  }
}

TEST_CASE("A written letter is right when it is the right option's, and no letter is wrong", "[evaluators]") {
  const Verdict right = judge_letter(" gold. The answer is (C).\n", 2);
  CHECK(right.evaluator == "mcq_generated");
  CHECK(right.answer == "C");
  CHECK(right.correct);
  CHECK_FALSE(judge_letter(" gold. The answer is (C).\n", 1).correct);
  const Verdict none = judge_letter("no idea", 0);
  CHECK(none.answer.empty());
  CHECK(none.rule == "none");
  CHECK_FALSE(none.correct);
  CHECK_THROWS_WITH(judge_letter("A", 10), ContainsSubstring("A to J"));
}

TEST_CASE("Nothing is an answer while the thinking is not closed", "[evaluators]") {
  const Verdict verdict = judge_integer("\\boxed{7}", false, 7);
  CHECK(verdict.rule == "unclosed");
  CHECK(verdict.answer.empty());
  CHECK_FALSE(verdict.correct);
}

TEST_CASE("A hostile text of 100,000 characters is judged in milliseconds", "[evaluators]") {
  for (const std::string& text : hostile_texts()) {
    INFO(text.substr(0, 20));
    // A second is a hundred times what it takes; a quadratic search takes minutes.
    CHECK(milliseconds([&] { judge_letter(text, 0); }) < 1000);
    CHECK(milliseconds([&] { judge_integer(text, true, 0); }) < 1000);
  }
}

}  // namespace moelab::evaluators
