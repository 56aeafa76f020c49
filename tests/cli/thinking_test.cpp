// A study whose model writes its answers, through the built program: run, resume, and the table of its
// thinking.
#include "tests/cli/study_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("written answers run with a limit, go on without it, and have a table of their thinking", "[cli]") {
  const StudyOnDisk study;
  std::string lines;
  for (int i = 0; i < 30; ++i) {
    const Json question = {{"id", fmt::format("sums-{:03}", i)},
                           {"question", fmt::format("What is {}+7?", i)},
                           {"answer", i + 7},
                           {"group", fmt::format("{}", i)}};
    lines += question.dump() + "\n";
  }
  write_atomic(study.dir.path() / "questions" / "sums.jsonl", lines);
  write_atomic(study.dir.path() / "benchmark" / "sums.yaml",
               fmt::format("name: sums\nquestions: {}/questions\ndomains: [sums]\nprompt: worked\n"
                           "generation: {{max_new_tokens: 6, repeats: 2, temperature: 1, thinking: think}}\n",
                           study.dir.path().string()));
  const std::vector<std::string> words = {"run", "axes.benchmark=[sums]", "axes.alpha=[3]"};
  auto limited = words;
  limited.push_back("limit=4");
  auto dry = limited;
  dry.push_back("--dry-run");
  // Original, aa, dsmoe, two draws: 5 cells of 4 questions, twice each.
  CHECK_THAT(study.run(dry).out, ContainsSubstring("In all 5 cells, 40 samples"));
  const ProgramResult first = study.run(limited);
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.out, ContainsSubstring("40 new samples"));
  const std::string db = "db=" + study.database().string();
  const ProgramResult table = run_moelab({"table", "thinking", db});
  CHECK(table.status == 0);
  CHECK_THAT(table.out, ContainsSubstring("thinking tokens") && ContainsSubstring("Evaluator aime/exact"));
  const ProgramResult csv = run_moelab({"table", "thinking", db, "--format", "csv"});
  CHECK_THAT(csv.out,
             ContainsSubstring("thinking_tokens_lo") && ContainsSubstring("tiny,sums,sums,original"));
  CHECK(run_moelab({"table", "methods", db}).status == 0);
  CHECK(run_moelab({"flips", db}).status == 0);
  CHECK(run_moelab({"show", db}).status == 0);
  const ProgramResult rest = study.run(words);
  CHECK(rest.status == 0);
  CHECK_THAT(rest.out, ContainsSubstring("180 new samples"));  // 22 questions less 4, twice, in 5 cells
  CHECK_THAT(study.run(words).out, ContainsSubstring("0 new samples"));
}

TEST_CASE("the thinking table says so when options were scored", "[cli]") {
  const StudyOnDisk study;
  REQUIRE(study.run({"run", "axes.alpha=[3]", "limit=4"}).status == 0);
  const ProgramResult table = run_moelab({"table", "thinking", "db=" + study.database().string()});
  CHECK(table.status == 2);
  CHECK_THAT(table.err, ContainsSubstring("scored options"));
}

TEST_CASE("a bundled model thinks about sums eight times each, and every table has figures of it", "[cli]") {
  const ScratchDir dir;
  const std::string db = "db=" + (dir / "repeats.db").string();
  const ProgramResult run =
      run_moelab({"run", "study=demo_thinking_repeats", "limit=3", "axes.method=[original,dsmoe,random]",
                  "nulls.draws=1", "engine.threads=1", db});
  INFO(run.err);
  REQUIRE(run.status == 0);
  // Original, aa, dsmoe, one draw, and dsmoe's experts of the other domain: 5 cells in 2 domains, 3
  // questions, 8 times.
  CHECK_THAT(run.out, ContainsSubstring("240 new samples"));
  const auto table = [&](const char* name) {
    const ProgramResult printed = run_moelab({"table", name, db});
    CHECK(printed.status == 0);
    return printed.out;
  };
  CHECK_THAT(table("metrics"), ContainsSubstring("3 questions, 8 samples each") &&
                                   ContainsSubstring("pass@8") && ContainsSubstring("maj@8") &&
                                   ContainsSubstring("gain [bootstrap]"));
  CHECK_THAT(table("decomposition"), ContainsSubstring("truncation") && ContainsSubstring("  dsmoe"));
  CHECK_THAT(table("thinking"), ContainsSubstring("thinking tokens") && ContainsSubstring("  random"));
  const std::string methods = table("methods");
  CHECK_THAT(methods, ContainsSubstring("sign flips") && ContainsSubstring("8 samples each"));
  CHECK_THAT(methods, !ContainsSubstring("Overlap"));
}
