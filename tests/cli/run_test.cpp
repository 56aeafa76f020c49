// A whole study through the built program: run, resume, stop, kill, and the tables of its results.
#include <signal.h>

#include <chrono>
#include <thread>

#include "core/store/store.h"
#include "tests/cli/study_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::chrono::seconds kPatience{120};

std::int64_t count(const std::filesystem::path& database, const std::string& what) {
  store::Store store = store::Store::open(database, store::Mode::read_only);
  return std::stoll(store.query("SELECT count(*) FROM " + what).rows[0][0].value_or("0"));
}

// Waits until the program has stored that many samples; false when it ended before.
bool wait_for_samples(RunningProgram& program, const std::filesystem::path& database, std::int64_t wanted) {
  while (program.is_running()) {
    try {
      if (std::filesystem::exists(database) && count(database, "sample") >= wanted) return true;
    } catch (const StoreError&) {
      // The schema is not there yet.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// Every answer as (cell, question), whatever order it came in.
store::Table answers(const std::filesystem::path& database) {
  store::Store store = store::Store::open(database, store::Mode::read_only);
  return store.query(
      "SELECT c.key, q.name, s.key, c.status FROM sample AS s JOIN cell AS c ON c.id = s.cell "
      "JOIN question AS q ON q.id = s.question ORDER BY c.key, q.name");
}

}  // namespace

TEST_CASE("a study runs, a second run does nothing, and a larger axis adds only what is missing", "[cli]") {
  const StudyOnDisk study;
  const ProgramResult dry = study.run({"run", "--dry-run"});
  CHECK(dry.status == 0);
  // 30 questions less 8 for discovery; original and aa, 2 points of the grid, 2 draws of 2 points.
  CHECK_THAT(dry.out, ContainsSubstring("In all 16 cells, 352 samples"));
  CHECK(!std::filesystem::exists(study.database()));
  const ProgramResult first = study.run({"run"});
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.err, ContainsSubstring("cells, "));
  // The other domain's plan on each domain comes on top.
  CHECK(count(study.database(), "sample") == 352 + 2 * 22);
  CHECK(count(study.database(), "cell WHERE status IN ('done', 'inert')") == 18);
  const ProgramResult second = study.run({"run"});
  CHECK(second.status == 0);
  CHECK_THAT(second.out, ContainsSubstring(", 0 failed; 0 new samples"));
  const ProgramResult wider = study.run({"run", "axes.alpha=3,10,1.5", "-m"});
  CHECK(wider.status == 0);
  // Only the new alpha was run: one point of the grid and one of each draw, on two domains (and, where
  // selection now prefers it, the other domain's plan).
  const std::int64_t cells = count(study.database(), "cell WHERE alpha = 1.5 AND steered_domain = domain");
  CHECK(cells == 2 * 3);
  CHECK_THAT(wider.out, ContainsSubstring("were done before, 0 failed"));
}

TEST_CASE("the results of a run can be printed by every table and verb", "[cli]") {
  const StudyOnDisk study;
  REQUIRE(study.run({"run"}).status == 0);
  const std::string db = "db=" + study.database().string();
  for (const char* table :
       {"methods", "sweep", "heatmap", "overlap", "verdict", "paper/2", "paper/5", "paper/6"}) {
    INFO(table);
    const ProgramResult result = run_moelab({"table", table, db});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(!result.out.empty());
  }
  CHECK_THAT(run_moelab({"table", "methods", db}).out, ContainsSubstring("random x 2"));
  CHECK(run_moelab({"flips", "domain=physics", db}).status == 0);
  CHECK(run_moelab({"show", "domain=physics", db}).status == 0);
  CHECK_THAT(run_moelab({"status", db}).out, ContainsSubstring("tiny"));
  const ProgramResult discover = study.run({"discover", "--top", "3"});
  CHECK(discover.status == 0);
  CHECK_THAT(discover.out, ContainsSubstring("released_code"));
  CHECK_THAT(run_moelab({"table", "similarity", db}).err, ContainsSubstring("discover study=NAME --similarity"));
  const ProgramResult alike = study.run({"discover", "--similarity", "all", "--similarity-tokens", "40"});
  CHECK(alike.status == 0);
  CHECK_THAT(alike.out, ContainsSubstring("Similarity of experts"));
  CHECK_THAT(alike.out, ContainsSubstring("40 tokens of 16 discovery questions"));
  CHECK_THAT(run_moelab({"table", "similarity", "above=0.1", db}).out, ContainsSubstring("pairs above 0.1"));
  CHECK(study.run({"discover", "--similarity", "nowhere"}).status == 2);
  const ProgramResult trial = study.run({"try", "tiny", "What is number 7 of physics?"});
  CHECK(trial.status == 2);
}

TEST_CASE("try shows the original and the steered model side by side", "[cli]") {
  const StudyOnDisk study(30);
  const std::vector<std::string> question = {"try", "tiny", "What is number 7 of physics?", "alpha=1000",
                                             "options=one|two"};
  auto words = question;
  words.push_back("experts=0:1,1:2");
  const ProgramResult trial = study.run(words);
  INFO(trial.err);
  CHECK(trial.status == 0);
  CHECK_THAT(trial.out, ContainsSubstring("Next token"));
  CHECK_THAT(trial.out, ContainsSubstring("original's choice"));
  CHECK_THAT(trial.out, ContainsSubstring("Router, acted"));
  words.back() = "experts=0:8";  // there are eight experts, 0 to 7
  const ProgramResult wrong = study.run(words);
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("8"));
}

TEST_CASE("a run that was killed at any instant resumes and stores the same answers as one that was not",
          "[cli]") {
  const StudyOnDisk whole;
  REQUIRE(whole.run({"run"}).status == 0);
  const StudyOnDisk study;
  for (const std::int64_t samples : {1, 120, 240}) {
    const ScratchDir logs;
    RunningProgram program(logs.path(), study.words({"run"}));
    if (wait_for_samples(program, study.database(), samples)) ::kill(program.id(), SIGKILL);
    program.finish();
  }
  const std::int64_t stored = count(study.database(), "sample");
  CHECK(stored >= 1);
  const ProgramResult last = study.run({"run"});
  INFO(last.err);
  REQUIRE(last.status == 0);
  CHECK((answers(study.database()).rows == answers(whole.database()).rows));
}

TEST_CASE("SIGINT stores the chunk in work and ends with status 3; the same command goes on", "[cli]") {
  const StudyOnDisk study(80);
  const ScratchDir logs;
  RunningProgram program(logs.path(), study.words({"run"}));
  REQUIRE(wait_for_samples(program, study.database(), 1));
  ::kill(program.id(), SIGINT);
  REQUIRE(program.wait_for(kPatience));
  const ProgramResult stopped = program.finish();
  CHECK(stopped.status == 3);
  CHECK_THAT(stopped.err, ContainsSubstring("moelab: "));
  CHECK(study.run({"run"}).status == 0);
}

TEST_CASE("a model that cannot be loaded fails its cells, and the run ends with status 1", "[cli]") {
  const StudyOnDisk study;
  write_atomic(study.dir.path() / "model" / "broken.yaml", "name: broken\npath: /nowhere/at/all\n");
  const ProgramResult result = study.run({"run", "axes.model=[tiny,broken]"});
  CHECK(result.status == 1);
  CHECK_THAT(result.out, ContainsSubstring("why cells failed: moelab status"));
  CHECK_THAT(run_moelab({"status", "db=" + study.database().string()}).out,
             ContainsSubstring("/nowhere/at/all"));
}

TEST_CASE("a wrong key or value stops a run before anything is stored", "[cli]") {
  const StudyOnDisk study;
  const ProgramResult key = study.run({"run", "axes.alhpa=[3]"});
  CHECK(key.status == 2);
  CHECK_THAT(key.err, ContainsSubstring("axes.alpha"));
  const ProgramResult value = study.run({"run", "axes.method=[dsmo]"});
  CHECK(value.status == 2);
  CHECK_THAT(value.err, ContainsSubstring("did you mean 'dsmoe'?"));
  const ProgramResult list = study.run({"run", "axes.alpha=3,5"});
  CHECK(list.status == 2);
  CHECK_THAT(list.err, ContainsSubstring("write axes.alpha=[3,5], or add -m"));
  CHECK(!std::filesystem::exists(study.database()));
}

TEST_CASE("tables say how many test questions the experts were found on", "[cli]") {
  const StudyOnDisk study;
  REQUIRE(study.run({"run", "protocol=paper", "axes.alpha=[3]", "limit=10"}).status == 0);
  const std::string db = "db=" + study.database().string();
  // Eight of the thirty find experts, and under the limit they are tested first.
  const std::string note = "experts were found on 8 of the 10 test questions, and on the groups of 8.";
  for (const char* name : {"methods", "sweep", "paper/2"})
    CHECK_THAT(run_moelab({"table", name, db}).out, ContainsSubstring("Overlap, tiny / chemistry: " + note));
  CHECK_THAT(run_moelab({"table", "methods", "domain=physics", db}).out, !ContainsSubstring("chemistry"));
  const std::string csv = run_moelab({"table", "methods", "domain=chemistry", "--format=csv", db}).out;
  CHECK_THAT(csv, ContainsSubstring(",seen_in_discovery,group_seen_in_discovery\n"));
  CHECK_THAT(csv, ContainsSubstring(",8,8\n") && !ContainsSubstring(",,\n"));
  REQUIRE(study
              .run({"run", "name=apart", "protocol=paper", "+split.tests_discovery=false", "axes.alpha=[3]",
                    "limit=10"})
              .status == 0);
  CHECK_THAT(run_moelab({"table", "methods", db}).out, !ContainsSubstring("Overlap"));
}
