// The verbs that judge and import answers, as a user runs them.
#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/cli/run_binary.h"
#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("extract judges the rows of a file and lists the evaluators", "[cli]") {
  const ScratchDir dir;
  const std::string file = (dir / "in.jsonl").string();
  write_atomic(file, "{\"text\": \"ANSWER: B\", \"options\": [\"x\", \"y\"], \"gold\": \"B\"}\n");
  const ProgramResult judged = run_moelab({"extract", "--evaluator", "choice/inspect", file});
  CHECK(judged.status == 0);
  CHECK(judged.out == "{\"answer\":\"B\",\"rule\":\"line\",\"span\":[8,9],\"correct\":true}\n");
  CHECK_THAT(judged.err, ContainsSubstring("1 rows, 1 with an answer, 1 right"));
  CHECK_THAT(run_moelab({"extract", "--list"}).out, ContainsSubstring("gsm8k/lm_eval_strict"));
  const ProgramResult unknown = run_moelab({"extract", "--evaluator", "choice/inspct", file});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("'choice/inspect'?"));
  CHECK(run_moelab({"extract"}).status == 2);
  write_atomic(file, "{\"text\": 7}\n");
  const ProgramResult bad = run_moelab({"extract", "--evaluator", "choice/inspect", file});
  CHECK(bad.status == 1);
  CHECK_THAT(bad.err, ContainsSubstring("in.jsonl, row 1"));
}

TEST_CASE("audit prints the gain of the best of a null grid", "[cli]") {
  // Figures of tests/data/statistics/metrics.json, in points: 2.55, 2.51 and 3.63; p of 3 points .20087.
  const ProgramResult audit =
      run_moelab({"audit", "--n", "717", "--cells", "40", "--flip-rate", "0.1", "--gain", "3"});
  CHECK(audit.status == 0);
  CHECK_THAT(audit.out, ContainsSubstring("mean gain             +2.6 points"));
  CHECK_THAT(audit.out, ContainsSubstring("median                +2.5 points"));
  CHECK_THAT(audit.out, ContainsSubstring("up to +3.6 points"));
  CHECK_THAT(audit.out, ContainsSubstring("p = 0.20087"));
  CHECK(run_moelab({"audit", "--cells", "0"}).status == 2);
  CHECK(run_moelab({"audit", "--flip-rate", "much"}).status == 2);
}

TEST_CASE("import, rescore and show work on a run of another tool", "[cli]") {
  const ScratchDir dir;
  const std::string db = "db=" + (dir / "imported.db").string();
  const std::string task = "/samples_gpqa_mini_cot_zeroshot_2026-11-22T10-00-00.000000.jsonl";
  const std::string logs = (data_dir() / "imports").string();
  for (const char* method : {"original", "steered"}) {
    const ProgramResult done =
        run_moelab({"import", "lm-eval", logs + "/" + method + task, "study=colours", "model=list",
                    std::string("method=") + method, "thinking=think", db});
    INFO(done.err);
    CHECK(done.status == 0);
    CHECK_THAT(done.out, ContainsSubstring("study colours: 6 questions x 1 samples in 2 cells"));
  }
  CHECK_THAT(run_moelab({"import", "lmeval", logs, db}).err, ContainsSubstring("'lm-eval'?"));
  const ProgramResult rescored =
      run_moelab({"rescore", "--evaluator", "choice/lighteval", "study=colours", db});
  CHECK(rescored.status == 0);
  CHECK_THAT(rescored.out, ContainsSubstring("12 samples in 4 cells judged, 12 verdicts new"));
  CHECK_THAT(run_moelab({"rescore", "--evaluator", "choice/lighteval", "study=colours", db}).out,
             ContainsSubstring("0 verdicts new"));
  const ProgramResult table =
      run_moelab({"table", "decomposition", "study=colours", "evaluator=choice/lighteval", db});
  CHECK_THAT(table.out, ContainsSubstring("truncation"));
  // The task's name says GPQA, so texts are shown on demand only. Question 2 of the domain Colour flips.
  const std::vector<std::string> show = {"show",           "study=colours", "domain=Colour",
                                         "method=steered", "--flipped",     db};
  const ProgramResult hidden = run_moelab(show);
  INFO(hidden.err);
  CHECK(hidden.status == 0);
  CHECK_THAT(hidden.out, ContainsSubstring("-2] (protected text"));
  CHECK_THAT(hidden.out, !ContainsSubstring("colour number") && !ContainsSubstring("answer is"));
  std::vector<std::string> words = show;
  words.emplace_back("--text");
  const ProgramResult shown = run_moelab(words);
  CHECK_THAT(shown.out,
             ContainsSubstring("(this set's text is not stored)") && !ContainsSubstring("colour number"));
  CHECK_THAT(shown.out, ContainsSubstring("steered: right, rule imported, 0 thinking"));
  CHECK_THAT(shown.out, ContainsSubstring("    <think>(A)?</think>The answer is (C)."));
  words.insert(words.end(), {"--characters", "9"});
  CHECK_THAT(run_moelab(words).out, ContainsSubstring("    [...] r is (C)."));
}
