#include "evaluators/extract_rows.h"

#include <sstream>

#include "core/base/json.h"
#include "tests/support/catch.h"

namespace moelab::evaluators {
namespace {

using Catch::Matchers::ContainsSubstring;

std::string extracted(const std::string& rows, const char* evaluator = "mmlu_pro/lm_eval") {
  std::istringstream in(rows);
  std::ostringstream out;
  extract_rows(in, out, find_evaluator(evaluator), "rows.jsonl");
  return out.str();
}

}  // namespace

TEST_CASE("Rows of answers become rows of verdicts, in their order", "[evaluators]") {
  const std::string rows = R"json({"text": "The answer is (B).", "options": ["x", "y"], "gold": "B"}
{"text": "no idea", "options": ["x", "y"], "gold": "B"}

{"text": "so the answer is A", "options": ["x", "y"]}
{"text": "the answer is (B)", "options": ["x", "y"], "gold": "B", "closed": false}
)json";
  // "The answer is (" has 15 bytes, "so the answer is " 17.
  CHECK(extracted(rows) ==
        R"json({"answer":"B","rule":"answer_is","span":[15,16],"correct":true}
{"answer":null,"rule":"none","span":null,"correct":false}
{"answer":"A","rule":"answer_is","span":[17,18],"correct":null}
{"answer":null,"rule":"unclosed","span":null,"correct":false}
)json");
}

TEST_CASE("A number's right answer may be a JSON number, and the last line may lack its end",
          "[evaluators]") {
  CHECK(extracted(R"json({"text": "so \\boxed{7}", "gold": 7})json", "aime/exact") ==
        R"json({"answer":"7","rule":"boxed","span":[10,11],"correct":true})json"
        "\n");
  // An empty answer that is compared all the same is no missing one.
  CHECK(extracted(R"json({"text": "", "gold": "7"})json", "aime/lm_eval") ==
        R"json({"answer":"","rule":"whole_text","span":null,"correct":false})json"
        "\n");
}

TEST_CASE("Every evaluator judges a row", "[evaluators]") {
  for (const Evaluator& each : all_evaluators()) {
    INFO(each.name);
    const bool is_letter = each.kind == AnswerKind::letter;
    std::istringstream in(is_letter ? R"json({"text": "x", "options": ["a", "b", "c", "d"], "gold": "B"})json"
                                    : R"json({"text": "x", "gold": "3"})json");
    std::ostringstream out;
    CHECK(extract_rows(in, out, each, "rows").rows == 1);
    CHECK_FALSE(Json::parse(out.str()).at("correct").get<bool>());
  }
}

TEST_CASE("A bad row is named by its number, and the rows before it are written", "[evaluators]") {
  const std::string good = "{\"text\": \"x\", \"options\": [\"a\", \"b\"], \"gold\": \"B\"}\n";
  struct Bad {
    const char* row;
    const char* problem;
  };
  for (const Bad& each :
       {Bad{"{\"text\": \"x\"", "rows.jsonl, row 3"}, Bad{"[1]", "row 3: the row is array"},
        Bad{"{\"gold\": \"A\"}", "row 3: the field 'text' is missing"},
        Bad{"{\"text\": 3}", "row 3: the field 'text' is 3"},
        Bad{"{\"text\": \"x\", \"gold\": \"B\"}", "row 3: mmlu_pro/lm_eval needs"},
        Bad{"{\"text\": \"x\", \"options\": [\"a\"], \"gold\": \"b\"}", "row 3: mmlu_pro/lm_eval"},
        Bad{"{\"text\": \"x\", \"option\": [\"a\"]}", "'option' is unknown"},
        Bad{"{\"text\": \"\xff\", \"options\": [\"a\"]}", "row 3"},
        Bad{"{\"text\": \"x\", \"options\": [\"a\"], \"gold\": 1.5}", "row 3: the field 'gold'"}}) {
    INFO(each.row);
    CHECK_THROWS_WITH(extracted(good + good + each.row), ContainsSubstring(each.problem));
  }
  std::istringstream in(good + good + "nonsense");
  std::ostringstream out;
  CHECK_THROWS_AS(extract_rows(in, out, find_evaluator("mmlu_pro/lm_eval"), "rows"), FileError);
  const std::string written = out.str();
  CHECK(std::count(written.begin(), written.end(), '\n') == 2);
}

TEST_CASE("A text of other scripts gives spans in bytes that cut no character", "[evaluators]") {
  // Each of the three characters before the marker has three bytes.
  CHECK(
      extracted("{\"text\": \"\u4e2d\u4e2d\u4e2d answer is (A)\", \"options\": [\"a\"], \"gold\": \"A\"}") ==
      "{\"answer\":\"A\",\"rule\":\"answer_is\",\"span\":[21,22],\"correct\":true}\n");
}

}  // namespace moelab::evaluators
