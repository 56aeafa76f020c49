// The verbs that read results, on a small database filled in by hand.
#include "core/base/json.h"
#include "tests/cli/run_binary.h"
#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Results : TableFixture {
  Results() {
    add_comparisons();
    add_grid();
    add_discovery();
  }
  ProgramResult run(std::vector<std::string> words) const {
    words.push_back("db=" + (dir / "tables.db").string());
    return run_moelab(words);
  }
};

// A study without discovery has nothing in the columns that the command adds.
std::string with_empty_overlap(const std::string& csv) {
  std::string text = csv;
  const std::size_t head = text.find('\n');
  for (std::size_t at = text.find('\n', head + 1); at != std::string::npos; at = text.find('\n', at + 3))
    text.insert(at, ",,");
  return text.insert(head, ",seen_in_discovery,group_seen_in_discovery");
}

}  // namespace

TEST_CASE("table prints what the library renders, in every format", "[cli]") {
  const Results results;
  const ProgramResult text = results.run({"table", "methods", "study=demo"});
  CHECK(text.status == 0);
  CHECK(text.out == approved("methods.txt"));
  CHECK(results.run({"table", "sweep", "--format", "csv"}).out == with_empty_overlap(approved("sweep.csv")));
  CHECK(results.run({"table", "heatmap", "score=paper", "domain=chemistry", "top=2"}).out ==
        approved("heatmap.txt"));
  CHECK_THAT(results.run({"table", "methods", "--format=latex"}).out, ContainsSubstring("\\begin{tabular}"));
  CHECK_THAT(results.run({"table", "methods", "--format=markdown"}).out, ContainsSubstring("| method |"));
}

TEST_CASE("query prints rows as text, CSV or JSON", "[cli]") {
  const Results results;
  const std::string sql = "SELECT name, protocol, finished FROM study";
  CHECK(results.run({"query", sql}).out ==
        "name  protocol  finished\n----  --------  --------\ndemo  crossfit      NULL\n(1 rows)\n");
  CHECK(results.run({"query", sql, "--csv"}).out == "name,protocol,finished\ndemo,crossfit,\n");
  CHECK(Json::parse(results.run({"query", sql, "--json"}).out) ==
        Json::parse(R"([{"name": "demo", "protocol": "crossfit", "finished": null}])"));
  CHECK(
      Json::parse(results.run({"query", "SELECT 2 AS i, 0.5 AS r, '3' AS t, 9e999 AS inf", "--json"}).out) ==
      Json::parse(R"([{"i": 2, "r": 0.5, "t": "3", "inf": "Inf"}])"));
  CHECK(results.run({"query", sql, "--json", "--csv"}).status == 2);
}

TEST_CASE("query refuses everything that could change the results", "[cli]") {
  const Results results;
  for (const char* sql : {"DELETE FROM study", "DROP TABLE cell", "UPDATE study SET name = 'x'",
                          "SELECT 1; DELETE FROM study", "PRAGMA user_version = 9", "VACUUM"}) {
    INFO(sql);
    const ProgramResult refused = results.run({"query", sql});
    CHECK(refused.status == 1);
    CHECK_THAT(refused.err, ContainsSubstring("moelab: "));
  }
  CHECK_THAT(results.run({"query", "SELECT count(*) FROM study", "--csv"}).out, ContainsSubstring("\n1\n"));
}

TEST_CASE("flips prints the questions that changed sides, with their options", "[cli]") {
  const Results results;
  // The original has R R W W; n_steered 2, alpha 3 has R R R W; alpha 10 has R W W W.
  const ProgramResult gained = results.run({"flips", "n_steered=2", "alpha=3"});
  CHECK(gained.status == 0);
  CHECK_THAT(gained.out, ContainsSubstring("Wrong to right: 1\n\n[q2] Question 2?\n"));
  CHECK_THAT(gained.out, ContainsSubstring("    B. two   <- right, steered\n    C. three   <- original\n"));
  CHECK_THAT(gained.out, ContainsSubstring("Right to wrong: 0\n"));
  const ProgramResult lost = results.run({"flips", "n_steered=2", "alpha=10", "--csv"});
  CHECK(lost.out ==
        "question,direction,answer_original,answer,gold,text\nq1,right_wrong,B,C,B,Question 1?\n");
}

TEST_CASE("a cell that the keys do not name alone is an error that lists the candidates", "[cli]") {
  const Results results;
  const ProgramResult several = results.run({"flips", "method=random"});
  CHECK(several.status == 2);
  CHECK_THAT(several.err, ContainsSubstring("random draw 1, 2 experts at alpha 3, logit_shift"));
  CHECK(results.run({"flips", "n_steered=9"}).status == 2);
}

TEST_CASE("show prints a cell's answers, or a question's answers in every cell", "[cli]") {
  const Results results;
  const ProgramResult cell = results.run({"show", "n_steered=2", "alpha=10", "--wrong", "--limit", "2"});
  CHECK(cell.status == 0);
  CHECK_THAT(cell.out, ContainsSubstring("status done, 1 of 4 right"));
  CHECK_THAT(cell.out, ContainsSubstring("[q1]"));
  CHECK_THAT(cell.out, ContainsSubstring("[q2]"));
  CHECK_THAT(cell.out, !ContainsSubstring("[q0]"));
  CHECK_THAT(cell.out, !ContainsSubstring("[q3]"));
  const ProgramResult question = results.run({"show", "question=q2"});
  CHECK_THAT(question.out, ContainsSubstring("Question 2?"));
  CHECK_THAT(question.out, ContainsSubstring("dsmoe"));
}

TEST_CASE("status tells how far a study is", "[cli]") {
  const Results results;
  const ProgramResult status = results.run({"status"});
  CHECK(status.status == 0);
  CHECK_THAT(status.out, ContainsSubstring("demo   crossfit      8     8       30"));
  CHECK_THAT(status.out, ContainsSubstring("cells: 8 done, 0 inert, 0 partial, 0 failed"));
}

TEST_CASE("a missing database or study is named, with what to do", "[cli]") {
  const ScratchDir dir;
  const ProgramResult missing = run_moelab({"table", "methods", "db=" + (dir / "none.db").string()});
  CHECK(missing.status == 2);
  CHECK_THAT(missing.err, ContainsSubstring("none.db: run a study first"));
  const Results results;
  const ProgramResult other = results.run({"table", "methods", "study=dmeo"});
  CHECK(other.status == 2);
  CHECK_THAT(other.err, ContainsSubstring("did you mean 'demo'?"));
}
