#include "core/store/store.h"

#include <algorithm>
#include <limits>

#include "tests/store/fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::store;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("rows put twice are stored once and keep their ids", "[store]") {
  Scratch scratch;
  StudyFixture first(scratch.store, 20), second(scratch.store, 20);
  CHECK(first.study == second.study);
  CHECK(first.model == second.model);
  CHECK(first.questions == second.questions);
  CHECK(first.add_cell("k") == second.add_cell("k"));
  CHECK(scratch.value("SELECT count(*) FROM question") == "20");
  CHECK(scratch.value("SELECT count(*) FROM cell") == "1");
}

TEST_CASE("a study of the same name with another config is a new row and found first", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 0);
  StudyRow wider = scratch.store.study(fixture.study);
  wider.config_hash = "c1";
  const Id id = scratch.store.put_study(wider);
  CHECK(id != fixture.study);
  CHECK(scratch.store.find_study("demo") == id);
  CHECK(scratch.store.find_study("other") == std::nullopt);
  CHECK(scratch.value("SELECT count(*) FROM study WHERE finished IS NOT NULL") == "0");
  scratch.store.finish_study(id);
  CHECK(scratch.value("SELECT count(*) FROM study WHERE finished >= created") == "1");
}

TEST_CASE("a question comes back as it was, and a changed one is another row", "[store]") {
  Scratch scratch;
  QuestionRow question = make_question(1);
  question.text = "Größe \"quoted\"\nand a NUL\0 inside, 漢字 🙂";
  question.options = {"", "ä", "b\tc"};
  question.exposure = 64;
  const Id id = scratch.store.put_questions(std::vector{question}).at(0);
  const QuestionRow back = scratch.store.question(id);
  CHECK(back.text == question.text);
  CHECK(back.options == question.options);
  CHECK(back.exposure == 64);
  CHECK(back.gold == "B");
  question.text_digest = "another";
  CHECK(scratch.store.put_questions(std::vector{question}).at(0) != id);
  CHECK(scratch.store.questions("facts").size() == 2);
  REQUIRE_THROWS_WITH(scratch.store.question(99), ContainsSubstring("no question 99"));
}

TEST_CASE("a text keeps a NUL byte and its length", "[store]") {
  Scratch scratch;
  QuestionRow question = make_question(1);
  question.text = std::string("a\0b", 3);
  const Id id = scratch.store.put_questions(std::vector{question}).at(0);
  CHECK(scratch.store.question(id).text.size() == 3);
}

TEST_CASE("a study's split is fixed once it is stored", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 3);
  std::vector<SplitRow> rows = {{fixture.questions[0], 0, "discovery", -1},
                                {fixture.questions[1], 0, "test", 2},
                                {fixture.questions[1], 1, "test", 4}};
  scratch.store.put_splits(fixture.study, rows);
  scratch.store.put_splits(fixture.study, rows);
  const auto back = scratch.store.splits(fixture.study);
  REQUIRE(back.size() == 3);
  CHECK(back[0].role == "discovery");
  CHECK(back[2].fold == 4);
  rows[1].fold = 3;
  REQUIRE_THROWS_WITH(scratch.store.put_splits(fixture.study, rows), ContainsSubstring("split is fixed"));
  rows[1] = {fixture.questions[2], 0, "nonsense", 0};
  REQUIRE_THROWS_WITH(scratch.store.put_splits(fixture.study, rows), ContainsSubstring("CHECK"));
}

TEST_CASE("a discovery run is stored with all its data or not at all", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 2);
  const DiscoveryRow run{"run-key", fixture.model, "chemistry", "{\"percentile\":85}", 2, 9, 1.5};
  DiscoveryData data;
  data.importance = {{fixture.questions[0], 0, "Ġwater", 0.25, "important"},
                     {fixture.questions[0], 1, "?", 0, "common"}};
  data.routing = {{fixture.questions[0], 1, 3, 5, 2, 3}, {fixture.questions[0], 1, 4, 0, 0, 0}};
  data.scores = {{"paper", 1, 3, 0.75, 2}, {"paper", 0, 7, 1.5, 1}, {"frequency", 1, 3, 0.1, 1}};

  DiscoveryData broken = data;
  broken.scores.push_back({"paper", 1, 4, std::numeric_limits<double>::quiet_NaN(), 3});
  REQUIRE_THROWS_WITH(scratch.store.put_discovery(run, broken), ContainsSubstring("NOT NULL"));
  CHECK(scratch.store.find_discovery("run-key") == std::nullopt);
  CHECK(scratch.value("SELECT count(*) FROM token_importance") == "0");

  const Id id = scratch.store.put_discovery(run, data);
  CHECK(scratch.store.put_discovery(run, data) == id);
  CHECK(scratch.store.find_discovery("run-key") == id);
  CHECK(scratch.store.discovery(id).n_tokens == 9);
  CHECK(scratch.store.importance(id).at(0).token == "Ġwater");
  const auto routing = scratch.store.routing(id);
  REQUIRE(routing.size() == 1);  // rows without a token are not kept
  CHECK(routing[0].n_unimportant == 3);
  const auto scores = scratch.store.scores(id, "paper");
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].expert == 7);  // by rank
  scratch.store.put_scores(id, std::vector<ScoreRow>{{"contrast", 0, 0, -0.5, 1}});
  CHECK(scratch.store.scores(id, "contrast").at(0).value == -0.5);
}

TEST_CASE("a plan comes back with its entries", "[store]") {
  Scratch scratch;
  PlanRow plan{"p0", "dsmoe", "logit_shift", 3, std::log(3.0), 2, 0, "chemistry", std::nullopt, {}};
  plan.entries = {{2, 5, "logit_shift", std::log(3.0)}, {1, 9, "logit_shift", std::log(3.0)}};
  const Id id = scratch.store.put_plan(plan);
  CHECK(scratch.store.put_plan(plan) == id);
  const PlanRow back = scratch.store.plan(id);
  CHECK(back.logit_shift == std::log(3.0));  // to the last bit
  CHECK_FALSE(back.run.has_value());
  REQUIRE(back.entries.size() == 2);
  CHECK(back.entries[0].layer == 1);
  CHECK(back.entries[1].value == std::log(3.0));
}

TEST_CASE("a plan that differs by question comes back with each question's entries", "[store]") {
  Scratch scratch;
  const auto ids = scratch.store.put_questions(std::vector{make_question(1), make_question(2)});
  const Id first = ids.at(0), second = ids.at(1);
  PlanRow plan{"p0", "rice_sample", "weight_scale", 64, std::log(64.0), 2, 0, "chemistry", std::nullopt, {}};
  plan.by_question = {{second, {2, 5, "weight_scale", 64}},
                      {first, {1, 9, "weight_scale", 64}},
                      {first, {0, 3, "weight_scale", 64}}};
  const PlanRow back = scratch.store.plan(scratch.store.put_plan(plan));
  CHECK(back.entries.empty());
  REQUIRE(back.by_question.size() == 3);
  CHECK(back.by_question[0].question == first);
  CHECK(back.by_question[0].entry.layer == 0);
  CHECK(back.by_question[1].entry.expert == 9);
  CHECK(back.by_question[2].question == second);
  CHECK(back.by_question[2].entry.value == 64);
}

TEST_CASE("a cell belongs to several studies and changes its outcome only", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 1);
  const Id cell = fixture.add_cell("k", "dsmoe", "physics");
  StudyRow other = scratch.store.study(fixture.study);
  other.name = "second";
  const Id second = scratch.store.put_study(other);
  scratch.store.add_to_study(second, cell, "null");
  scratch.store.add_to_study(second, cell, "null");
  CHECK(scratch.store.cells(fixture.study).size() == 1);
  CHECK(scratch.store.cells(second).at(0).second == "null");
  CHECK(scratch.store.cell(cell).status == "pending");
  scratch.store.set_outcome(cell, {"failed", 3, 2.5, 400, "out of memory", "{\"device\":\"cpu\"}"});
  const CellRow row = scratch.store.cells(second).at(0).first;
  CHECK(row.id == cell);
  CHECK(row.status == "failed");
  CHECK(row.error == "out of memory");
  CHECK(row.steered_domain == "physics");
  CHECK_FALSE(row.plan.has_value());
  REQUIRE_THROWS_WITH(scratch.store.set_outcome(cell, {"gone", 0, 0, 0, "", "{}"}),
                      ContainsSubstring("CHECK"));
  REQUIRE_THROWS_WITH(scratch.store.set_outcome(77, {"done", 0, 0, 0, "", "{}"}),
                      ContainsSubstring("no cell 77"));
}

TEST_CASE("a sample is stored with its verdicts, and once", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 5);
  const Id cell = fixture.add_cell("k");
  SampleRow sample = make_sample(cell, fixture.questions[2]);
  const Id id = scratch.store.put_sample(sample, make_verdicts(true));
  CHECK(scratch.store.put_sample(sample, make_verdicts(true)) == id);
  sample.repeat = 1;
  CHECK(scratch.store.put_sample(sample, {}) != id);
  CHECK(scratch.store.answered(cell) ==
        std::vector<SampleKey>{{fixture.questions[2], 0}, {fixture.questions[2], 1}});
  const auto samples = scratch.store.samples(cell);
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].scores == sample.scores);
  CHECK_FALSE(samples[0].output.has_value());
  CHECK(scratch.value("SELECT json_extract(scores, '$[1][0]') FROM sample LIMIT 1") == "-0.5");
}

TEST_CASE("the same sample with another key or output is a conflict", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 2);
  const Id cell = fixture.add_cell("k");
  SampleRow sample = make_sample(cell, fixture.questions[0]);
  sample.output = "The answer is (B).";
  scratch.store.put_sample(sample, {});
  SampleRow changed = sample;
  changed.output = "The answer is (C).";
  REQUIRE_THROWS_WITH(scratch.store.put_sample(changed, {}), ContainsSubstring("another output"));
  changed = sample;
  changed.key = "else";
  REQUIRE_THROWS_WITH(scratch.store.put_sample(changed, {}), ContainsSubstring("another generation key"));
}

TEST_CASE("a verdict that fails takes its sample with it", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 2);
  const Id cell = fixture.add_cell("k");
  auto verdicts = make_verdicts(true);
  verdicts.push_back(verdicts[0]);
  verdicts[1].correct = false;  // the same evaluator and version, another judgement
  REQUIRE_THROWS_WITH(scratch.store.put_sample(make_sample(cell, fixture.questions[0]), verdicts),
                      ContainsSubstring("needs a new version"));
  CHECK(scratch.store.answered(cell).empty());
}

TEST_CASE("a sample of a cell or question that does not exist is refused", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 1);
  REQUIRE_THROWS_WITH(scratch.store.put_sample(make_sample(5, fixture.questions[0]), {}),
                      ContainsSubstring("FOREIGN KEY"));
  const Id cell = fixture.add_cell("k");
  REQUIRE_THROWS_WITH(scratch.store.put_sample(make_sample(cell, 99), {}), ContainsSubstring("FOREIGN KEY"));
}

TEST_CASE("many samples are stored one transaction each, so those before an error stay", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 3);
  const Id cell = fixture.add_cell("k");
  std::vector<SampleRow> samples;
  for (const Id question : fixture.questions) samples.push_back(make_sample(cell, question));
  std::vector<std::vector<VerdictRow>> verdicts(3, make_verdicts(true));
  samples[2].question = 99;
  REQUIRE_THROWS_AS(scratch.store.put_samples(samples, verdicts), StoreError);
  CHECK(scratch.store.answered(cell).size() == 2);
  verdicts.pop_back();
  REQUIRE_THROWS_WITH(scratch.store.put_samples(samples, verdicts), ContainsSubstring("3 samples"));
}

TEST_CASE("an uncommitted group of writes is undone", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 1);
  {
    Transaction group = scratch.store.begin();
    fixture.add_cell("a");
    fixture.add_cell("b");
  }
  CHECK(scratch.store.cells(fixture.study).empty());
  Transaction group = scratch.store.begin();
  fixture.add_cell("a");
  group.commit();
  CHECK(scratch.store.cells(fixture.study).size() == 1);
}

TEST_CASE("answers come by cell and question, of the newest version of one evaluator", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 4);
  const Id second = fixture.add_cell("b"), first = fixture.add_cell("a");
  fixture.add_cell("empty");
  for (const Id cell : {first, second}) {
    for (int i = 3; i >= 0; --i) {
      const bool correct = cell == first ? i == 0 : i != 0;
      scratch.store.put_sample(make_sample(cell, fixture.questions[i]), make_verdicts(correct));
    }
  }
  scratch.store.put_sample(make_sample(first, fixture.questions[1], 1), make_verdicts(true));
  VerdictRow newer = make_verdicts(true)[0];
  newer.version = 2;
  newer.guessed = true;
  newer.sample = scratch.store.samples(second).at(0).id;
  scratch.store.put_verdicts(std::vector{newer});
  VerdictRow other = newer;
  other.evaluator = "mcq_letter";
  other.version = 9;
  other.correct = false;
  scratch.store.put_verdicts(std::vector{other});

  const auto cells = scratch.store.answers(fixture.study, "mcq_continuation");
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].cell == second);
  REQUIRE(cells[0].answers.size() == 4);
  CHECK(cells[0].answers[0].correct);  // version 2, not 1
  CHECK(cells[0].answers[0].guessed);
  CHECK(cells[0].answers[1].correct);
  CHECK_FALSE(cells[0].answers[1].guessed);
  CHECK(cells[1].cell == first);
  REQUIRE(cells[1].answers.size() == 5);
  const auto& list = cells[1].answers;
  CHECK(std::is_sorted(list.begin(), list.end(), [](const Answer& a, const Answer& b) {
    return SampleKey{a.question, a.repeat} < SampleKey{b.question, b.repeat};
  }));
  CHECK(list[0].correct);
  CHECK_FALSE(list[1].correct);
  CHECK(list[2].repeat == 1);
  CHECK(list[2].correct);
  CHECK(scratch.store.answers(fixture.study, "mcq_letter").size() == 1);
  CHECK(scratch.store.answers(fixture.study, "none").empty());
}

TEST_CASE("answers of a study are read in index order, without sorting", "[store]") {
  Scratch scratch;
  const Table plan = scratch.store.query(
      "EXPLAIN QUERY PLAN SELECT x.cell FROM study_cell AS x CROSS JOIN sample AS s ON s.cell = x.cell CROSS "
      "JOIN "
      "verdict AS v ON v.sample = s.id AND v.evaluator = 'e' WHERE x.study = 1 ORDER BY x.cell, s.question, "
      "s.repeat, "
      "v.version");
  for (const auto& row : plan.rows) CHECK(row[3].value_or("").find("TEMP B-TREE") == std::string::npos);
}

TEST_CASE("effects add up over a resumed cell, or are replaced", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 1);
  const Id cell = fixture.add_cell("k");
  const std::vector<EffectRow> part = {{cell, 0, 10, 20, 4, 0.5, 6, "acted", 0.8},
                                       {cell, 1, 10, 20, 0, 0, 0, "applied_no_effect"}};
  const std::vector<EffectRow> rest = {{cell, 0, 30, 60, 0, 0.1, 2, "applied_no_effect", 0.4},
                                       {cell, 1, 30, 60, 0, 0, 0, "not_applied"}};
  scratch.store.put_effects(cell, part);
  scratch.store.add_effects(rest);
  const auto rows = scratch.store.effects(cell);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].rows == 40);
  CHECK(rows[0].selections == 80);
  CHECK(rows[0].changed == 4);
  CHECK(rows[0].steered_selected == 8);
  CHECK(rows[0].weight_change == Catch::Approx(0.2));  // (10 * 0.5 + 30 * 0.1) / 40
  CHECK(rows[0].state == "acted");
  CHECK(rows[0].dose.value_or(0) == Catch::Approx(0.5));  // (10 * 0.8 + 30 * 0.4) / 40
  CHECK(rows[1].state == "not_applied");
  scratch.store.put_effects(cell, part);
  CHECK(scratch.store.effects(cell).at(0).rows == 10);
}
