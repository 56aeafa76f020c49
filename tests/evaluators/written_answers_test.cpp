#include "evaluators/integer.h"
#include "evaluators/mcq_generated.h"
#include "tests/evaluators/reference_cases.h"
#include "tests/support/catch.h"

namespace moelab::evaluators {
namespace {

using Catch::Matchers::ContainsSubstring;

}  // namespace

TEST_CASE("The letter and the rule are those of the published regular expressions",
          "[evaluators][verdicts]") {
  const auto cases = testing::reference_lines("letters.jsonl");
  REQUIRE(cases.size() >= 900);
  for (std::size_t i = 1; i < cases.size(); ++i) {
    const Json& each = cases[i];
    const auto text = each.at("text").get<std::string>();
    INFO(each.dump());
    const auto found = find_letter(text);
    CHECK((found ? std::string(1, found->letter) : "") == each.at("answer").get<std::string>());
    CHECK((found ? found->rule : "none") == each.at("rule").get<std::string>());
    if (found) CHECK(found->at == each.at("at").get<std::size_t>());
  }
}

TEST_CASE("The integer is that of the rule as Python words it", "[evaluators][verdicts]") {
  const auto cases = testing::reference_lines("integers.jsonl");
  REQUIRE(cases.size() >= 900);
  for (std::size_t i = 1; i < cases.size(); ++i) {
    const Json& each = cases[i];
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

}  // namespace moelab::evaluators
