// Rescoring on samples whose texts, and what evaluators make of them, are written by hand.
#include "experiments/rescore.h"

#include "tests/store/fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// Two questions with four options, of which B is right, and a cell with thinking between tags.
struct WrittenCells : Scratch {
  WrittenCells() {
    store::CellOutcome outcome;
    outcome.status = "done";
    outcome.provenance = R"({"generation": {"thinking": "think", "stop": ["Question:"]}})";
    cell = study.add_cell("written");
    store.set_outcome(cell, outcome);
    add(study.questions[0], "<think>(A)? answer is (A)</think>The answer is (B). Question: answer is (C)");
    add(study.questions[1], "I say (B)");
  }

  store::Id add(store::Id question, const std::string& output, bool closed = true, int repeat = 0) {
    store::SampleRow sample = make_sample(cell, question, repeat);
    sample.scores.reset();
    sample.output = output;
    sample.closed = closed;
    sample.stop = "eos";
    store::VerdictRow verdict;
    verdict.evaluator = "mcq_generated";
    verdict.rule = "none";
    return store.put_sample(sample, {&verdict, 1});
  }

  RescoreSummary run(const char* evaluator, store::Id only_cell = 0) {
    RescoreRequest request;
    request.evaluator = &evaluators::find_evaluator(evaluator);
    request.cell = only_cell;
    return rescore(store, request);
  }

  StudyFixture study{store, 2};
  store::Id cell = 0;
};

}  // namespace

TEST_CASE("Rescoring adds another evaluator's verdicts on the answer without its thinking", "[experiments]") {
  WrittenCells cells;
  const std::string samples = "SELECT group_concat(id || output || key, ' ') FROM sample";
  const std::string before = cells.value(samples);
  const RescoreSummary first = cells.run("mmlu_pro/lm_eval");
  CHECK(first.cells == 1);
  CHECK(first.samples == 2);
  CHECK(first.added == 2);
  CHECK(first.studies == std::set<store::Id>{cells.study.study});
  // Its only rule is `answer is \(?([A-J])`: B, not the A of the thinking; the second text has none.
  CHECK(cells.value(
            "SELECT group_concat(coalesce(answer, '-') || rule || correct, ' ') FROM (SELECT * FROM verdict "
            "WHERE evaluator = 'mmlu_pro/lm_eval' ORDER BY sample)") == "Banswer_is1 -none0");
  CHECK(cells.value(samples) == before);
  // Again: judged, and nothing new.
  const RescoreSummary second = cells.run("mmlu_pro/lm_eval");
  CHECK(second.samples == 2);
  CHECK(second.added == 0);
  CHECK(cells.value("SELECT count(*) FROM verdict") == "4");
}

TEST_CASE("A stored answer ends before a stop text and is empty while the thinking is open",
          "[experiments]") {
  const OutputFormat format{"think", {"Question:", "\n\n"}};
  store::SampleRow sample;
  sample.output = "<think>a</think>b\n\nc Question: d";
  CHECK(stored_answer(sample, format) == "b");
  sample.output = "thoughts that the prompt opened</think>the rest";
  CHECK(stored_answer(sample, format) == "the rest");
  sample.closed = false;
  CHECK(stored_answer(sample, format).empty());
  // Stored as closed, but no text says so.
  sample.closed = true;
  sample.output = "<think>a";
  CHECK_THROWS_WITH(stored_answer(sample, format), ContainsSubstring("leaves the thinking ('think') open"));
  sample.output = "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b";
  CHECK(stored_answer(sample, {"harmony", {}}) == "b");
}

TEST_CASE("Rescoring refuses what it cannot judge, and stores nothing of that cell", "[experiments]") {
  WrittenCells cells;
  // The right answer is a letter: these evaluators compare integers.
  CHECK_THROWS_WITH(cells.run("aime/exact"),
                    ContainsSubstring("cannot judge question q0") && ContainsSubstring("benchmark="));
  CHECK(cells.value("SELECT count(*) FROM verdict WHERE evaluator = 'aime/exact'") == "0");
  CHECK_THROWS_WITH(cells.run("mcq_generated"), ContainsSubstring("judges sample"));
  CHECK_THROWS_WITH(cells.run("gpqa/official", 99), ContainsSubstring("no cell fits"));
  const store::Id scored = cells.study.add_cell("scored", "dsmoe");
  cells.store.put_sample(make_sample(scored, cells.study.questions[0]), make_verdicts(true));
  CHECK_THROWS_WITH(cells.run("gpqa/official", scored), ContainsSubstring("options were scored"));
  CHECK(cells.run("gpqa/official").scored == 1);
}

TEST_CASE("Rescoring leaves a guess that is stored as it is", "[experiments]") {
  WrittenCells cells;
  const store::Id sample = cells.add(cells.study.questions[0], "nothing", true, 1);
  const store::VerdictRow guess{sample, "mmlu_pro/official", 1, "B", "random_guess", true, true};
  cells.store.put_verdicts({&guess, 1});
  CHECK(cells.run("mmlu_pro/official").samples == 2);
  CHECK(cells.value("SELECT rule FROM verdict WHERE evaluator = 'mmlu_pro/official' AND guessed") ==
        "random_guess");
}
