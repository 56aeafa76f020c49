#include "evaluators/refusal.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::evaluators;

TEST_CASE("refusals are recognised as an independent program recognises them", "[evaluators]") {
  std::size_t refused = 0, lines = 0;
  for (const std::string& line : read_lines(testing::data_dir() / "evaluators/refusals.jsonl")) {
    const Json row = parse_json(line, "row");
    CAPTURE(row.at("text").dump());
    const std::string expected = row.at("phrase").is_null() ? "" : row.at("phrase").get<std::string>();
    CHECK(std::string(refusal_phrase(row.at("text").get<std::string>())) == expected);
    refused += expected.empty() ? 0 : 1;
    ++lines;
  }
  CHECK(lines == 500);
  CHECK(refused > 150);
}

TEST_CASE("what refuses stands in the opening", "[evaluators]") {
  CHECK(is_refusal("I cannot help with that."));
  CHECK_FALSE(is_refusal("The capital is one that I can name: Paris."));
  CHECK_FALSE(is_refusal(""));
  CHECK(is_refusal(std::string(152, 'x') + " I can't"));
  CHECK_FALSE(is_refusal(std::string(153, 'x') + " I can't"));
}
