#include <ctime>

#include "evaluators/aime_lm_eval.h"
#include "evaluators/mmlu_pro.h"
#include "evaluators/python_random.h"
#include "evaluators/registry.h"
#include "tests/evaluators/reference_cases.h"
#include "tests/support/catch.h"
#include "tests/support/hostile_texts.h"

namespace moelab::evaluators {
namespace {

using Catch::Matchers::ContainsSubstring;

using VerdictCounts =
    std::map<std::string, std::pair<int, int>>;  // by evaluator: cases, cases with an answer

// Compares all verdicts of a case, each [answer, correct] or [answer, correct, byte].
void check_case(const Json& each, const Expected& expected, VerdictCounts& counts) {
  const std::string text = testing::text_of(each);
  for (const auto& [name, wanted] : each.at("verdicts").items()) {
    const Verdict verdict = judge_written(find_evaluator(name), {text}, expected);
    INFO(name << ": " << each.dump().substr(0, 2000) << " -> " << verdict.answer << " by " << verdict.rule);
    CHECK(verdict.answer == wanted.at(0).get<std::string>());
    CHECK(verdict.correct == wanted.at(1).get<bool>());
    CHECK(verdict.end <= text.size());
    if (wanted.size() > 2) CHECK(verdict.begin == wanted.at(2).get<std::size_t>());
    ++counts[name].first;
    if (!verdict.answer.empty()) ++counts[name].second;
  }
}

double milliseconds_of(const Evaluator& evaluator, const std::string& text, const Expected& expected) {
  const std::clock_t start = std::clock();  // of this process, so that a busy machine does not count
  judge_written(evaluator, {text}, expected);
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("Letters are judged as the harnesses themselves judge them", "[evaluators][verdicts]") {
  const auto lines = testing::reference_lines("harness_letters.jsonl");
  REQUIRE(lines.size() >= 600);
  const auto options = lines[0].at("options").get<std::vector<std::vector<std::string>>>();
  VerdictCounts counts;
  for (std::size_t i = 1; i < lines.size(); ++i)
    check_case(lines[i],
               {lines[i].at("gold").get<std::string>(), options[lines[i].at("options").get<std::size_t>()]},
               counts);
  REQUIRE(counts.size() == 8);
  for (const auto& [name, count] : counts) {
    INFO(name);
    CHECK(count.first >= 300);
    CHECK(count.second >= 50);
    CHECK(count.second < count.first);
  }
}

TEST_CASE("Numbers are judged as the harnesses themselves judge them", "[evaluators][verdicts]") {
  const auto lines = testing::reference_lines("harness_numbers.jsonl");
  REQUIRE(lines.size() >= 600);
  VerdictCounts counts;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    check_case(lines[i], {lines[i].at("gold").get<std::string>(), {}}, counts);
    const auto answer = lines[i].at("verdicts").at("aime/lm_eval").at(0).get<std::string>();
    const auto normal = normalized_latex(answer);
    INFO(lines[i].dump());
    const Json& wanted = lines[i].at("normal");
    CHECK(normal.has_value() == !wanted.is_null());
    if (normal && !wanted.is_null()) CHECK(*normal == wanted.get<std::string>());
  }
  REQUIRE(counts.size() == 4);
  for (const auto& [name, count] : counts) {
    INFO(name);
    CHECK(count.first >= 300);
    CHECK(count.second >= 50);
  }
}

TEST_CASE("Random numbers are those of CPython", "[evaluators][verdicts]") {
  const auto lines = testing::reference_lines("python_random.jsonl");
  REQUIRE(lines.size() == 11);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const Json& wanted = lines[i];
    const auto seed = wanted.at("seed").get<std::int64_t>();
    INFO("seed " << seed);
    const auto all = [&](const char* name, int skipped, const auto& draw) {
      PythonRandom random(seed);
      for (; skipped > 0; --skipped) draw(random);
      Json drawn = Json::array();
      for (std::size_t k = 0; k < wanted.at(name).size(); ++k) drawn.push_back(draw(random));
      INFO(name);
      CHECK(drawn == wanted.at(name));
    };
    const std::vector<std::string> letters = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
    all("getrandbits", 640, [](PythonRandom& r) { return r.getrandbits(32); });
    all("randint", 0, [](PythonRandom& r) { return r.randint(0, 9); });
    all("randint4", 0, [](PythonRandom& r) { return r.randint(-2, 1); });
    all("choice", 0, [&](PythonRandom& r) { return r.choice(letters); });
    all("sample", 0, [](PythonRandom& r) { return r.sample(4, 4); });
    all("sample_large", 0, [](PythonRandom& r) { return r.sample(1000, 6); });
    all("sample_pool", 0, [](PythonRandom& r) { return r.sample(80, 7); });
    all("random", 0, [](PythonRandom& r) { return r.random(); });
    all("shuffle", 0, [](PythonRandom& r) {
      std::vector<std::string> values = {"i1", "i2", "i3", "c"};
      r.shuffle(values);
      return values;
    });
  }
  PythonRandom random(0);
  CHECK_THROWS_WITH(random.getrandbits(33), ContainsSubstring("33"));
  CHECK_THROWS_WITH(random.below(0), ContainsSubstring("0"));
  CHECK_THROWS_WITH(random.randint(2, 1), ContainsSubstring("empty"));
  CHECK_THROWS_WITH(random.sample(3, 4), ContainsSubstring("4 of 3"));
}

TEST_CASE("MMLU-Pro's guesses are the second ones that its script draws", "[evaluators][verdicts]") {
  const Json first = testing::reference_lines("python_random.jsonl").at(0);
  const auto unanswered = first.at("unanswered").get<std::vector<std::vector<std::size_t>>>();
  CHECK(official_guesses(unanswered) == first.at("guesses").get<std::vector<std::vector<std::size_t>>>());
}

TEST_CASE("An official MMLU-Pro verdict without an answer guesses only when it is given a generator",
          "[evaluators]") {
  const Evaluator& official = find_evaluator("mmlu_pro/official");
  const Expected expected{"F", std::vector<std::string>(10, "x")};
  const Verdict none = judge_written(official, {"no idea"}, expected);
  CHECK(none.rule == "none");
  CHECK(none.answer.empty());
  CHECK_FALSE(none.guessed);
  // With seed 7 random.randint(0, 9) gives 5, then 2 (CPython 3.11).
  PythonRandom random(7);
  const Verdict guess = judge_written(official, {"no idea"}, expected, &random);
  CHECK(guess.answer == "F");
  CHECK(guess.rule == "random_guess");
  CHECK(guess.guessed);
  CHECK(guess.correct);
  // An answer draws nothing.
  CHECK_FALSE(judge_written(official, {"the answer is B"}, expected, &random).guessed);
  CHECK(judge_written(official, {""}, expected, &random).answer == "C");
  CHECK_FALSE(judge_written(find_evaluator("mmlu_pro/lm_eval"), {""}, expected, &random).guessed);
}

TEST_CASE("Every rule is named and says where it found the answer", "[evaluators]") {
  const Expected four{"B", {"red", "green", "blue", "pink"}};
  const Expected number{"7", {}};
  struct Case {
    const char* evaluator;
    const char* text;
    const char* rule;
    const char* span;
  };
  // Worked by hand from the rules as the headers state them.
  for (const Case& each :
       std::vector<Case>{{"gpqa/official", "answer is (B)", "answer_is", "B"},
                         {"gpqa/official", "Answer: (B)", "answer_capital", "B"},
                         {"gpqa/official", "answer: (B)", "answer_small", "B"},
                         {"gpqa/official", "answer (B)", "answer_bare", "B"},
                         {"gpqa/official", "answer is (x), (B)? (B)", "none", ""},
                         {"gpqa/official", "(B)", "parentheses", "B"},
                         {"gpqa/simple_evals", "ANSWER : $B$", "answer", "B"},
                         {"gpqa/lm_eval_strict", "The answer is (B).", "answer_is", "(B)"},
                         {"gpqa/lm_eval_flexible", "(A) or (B)", "parentheses", "(B)"},
                         {"gpqa/lm_eval_flexible", "It is Green!", "option_text", ""},
                         {"gpqa/lm_eval_flexible", "A: or:\n B", "colon", "B"},
                         {"choice/inspect", "x\nANSWER: **b**\n", "line", "b"},
                         {"choice/inspect", "my answer: B!", "anywhere", "B"},
                         {"choice/lighteval", "final answer is: (B). I hope", "i_hope", "B"},
                         {"choice/lighteval", "The final answer here is B", "final_answer_is", "B"},
                         {"choice/lighteval", "Answer: it is B.", "answer_colon", "B"},
                         {"choice/lighteval", "answer would be B.", "answer", "B"},
                         {"choice/lighteval", "**B**.", "start", "B"},
                         {"choice/lighteval", "so\nB, then", "line_start", "B"},
                         {"choice/lighteval", "so (B), then", "word", "B"},
                         {"choice/lighteval", "xBx", "letter", "B"},
                         {"mmlu_pro/official", "x B y", "last_letter", "B"},
                         {"mmlu_pro/lm_eval", "answer is (B)", "answer_is", "B"},
                         {"aime/exact", "\\boxed{ 7}", "boxed", "7"},
                         {"aime/exact", "answer is **7", "after_marker", "7"},
                         {"aime/exact", "about 7 or so", "none", ""},
                         {"aime/lenient", "about 7 or so", "last_integer", "7"},
                         {"aime/lenient", "7 or 12.5 or 3/4 or 1,024", "last_integer", "7"},
                         {"aime/lenient", "\\boxed{x} 7", "none", ""},
                         {"aime/lm_eval", "$x$ so $7$", "dollars", "x$ so $7"},
                         {"aime/lm_eval", "$x$ \\boxed{7}", "boxed", "7"},
                         {"aime/lm_eval", "\\boxed 7$ \\boxed{8}", "boxed_space", "7"},
                         {"aime/lm_eval", "7", "whole_text", "7"},
                         {"gsm8k/lm_eval_strict", "so\n#### 7.", "hashes", "7."},
                         {"gsm8k/lm_eval_flexible", "5 and $7.", "last_number", "$7."}}) {
    INFO(each.evaluator << ": " << each.text);
    const Evaluator& evaluator = find_evaluator(each.evaluator);
    const bool is_letter = evaluator.kind == AnswerKind::letter;
    const std::string text = each.text;
    const Verdict verdict = judge_written(evaluator, {text}, is_letter ? four : number);
    CHECK(verdict.rule == each.rule);
    CHECK(text.substr(verdict.begin, verdict.end - verdict.begin) == each.span);
    CHECK(judge_written(evaluator, {text, false}, is_letter ? four : number).rule == "unclosed");
  }
}

TEST_CASE("An unknown evaluator gets the nearest name, and impossible questions are refused",
          "[evaluators]") {
  CHECK_THROWS_WITH(find_evaluator("gpqa/oficial"), ContainsSubstring("'gpqa/official'?"));
  CHECK_THROWS_WITH(find_evaluator("mmlu_pro/lmeval"), ContainsSubstring("'mmlu_pro/lm_eval'?"));
  CHECK_THROWS_WITH(find_evaluator("gsm8k"), ContainsSubstring("gsm8k/lm_eval_strict"));
  const std::vector<std::string> four(4, "x");
  const Evaluator& official = find_evaluator("gpqa/official");
  CHECK_THROWS_WITH(judge_written(official, {"(A)"}, {"E", four}), ContainsSubstring("option E"));
  CHECK_THROWS_WITH(judge_written(official, {"(A)"}, {"b", four}), ContainsSubstring("'b'"));
  CHECK_THROWS_WITH(judge_written(official, {"(A)"}, {"A", {}}), ContainsSubstring("no options"));
  CHECK_THROWS_WITH(judge_written(find_evaluator("aime/exact"), {"\\boxed{1}"}, {"1.5", {}}),
                    ContainsSubstring("1.5"));
  for (const Evaluator& each : all_evaluators()) CHECK(&find_evaluator(each.name) == &each);
}

TEST_CASE("A hostile text of 200,000 characters is judged in bounded time", "[evaluators]") {
  const Expected four{"B", {"A answer", "ANSWER: ", "blue", "pink"}};
  for (const std::string& text : testing::hostile_texts(200'000)) {
    for (const Evaluator& each : all_evaluators()) {
      INFO(each.name << ": " << text.substr(0, 20));
      // Many times what it takes; a quadratic search takes minutes.
      CHECK(milliseconds_of(each, text, each.kind == AnswerKind::letter ? four : Expected{"7", {}}) < 3000);
    }
  }
}

}  // namespace moelab::evaluators
