#include "core/store/store.h"
#include "tests/store/fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::store;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("selections and comparisons are replaced when they are made again", "[store]") {
  Scratch scratch;
  StudyFixture fixture(scratch.store, 1);
  const Id cell = fixture.add_cell("k", "dsmoe", "chemistry");
  SelectionRow selection{fixture.study,
                         fixture.model,
                         "facts",
                         "chemistry",
                         "dsmoe",
                         0,
                         "chemistry",
                         "mcq",
                         "best",
                         3,
                         1,
                         "[1]",
                         cell,
                         10,
                         5};
  scratch.store.put_selections(std::vector{selection});
  selection.correct = 7;
  scratch.store.put_selections(std::vector{selection});
  REQUIRE(scratch.store.selections(fixture.study).size() == 1);
  CHECK(scratch.store.selections(fixture.study)[0].correct == 7);
  CHECK(scratch.store.selections(fixture.study)[0].candidates == "[1]");
  CHECK(scratch.value("SELECT accuracy FROM selected_cell") == "0.7");

  ComparisonRow row;
  row.study = fixture.study;
  row.model = fixture.model;
  row.benchmark = "facts";
  row.method = "dsmoe";
  row.n = 100;
  row.gain = 0.02;
  row.lo = -0.01;
  row.p = std::nullopt;
  row.specificity = 0.04;
  row.specificity_lo = 0.01;
  row.specificity_hi = 0.07;
  row.p_specific = 0.002;
  row.p_labels = 0.005;
  row.dose = 1.5;
  scratch.store.put_comparisons(std::vector{row});
  row.gain = 0.03;
  scratch.store.put_comparisons(std::vector{row});
  const auto back = scratch.store.comparisons(fixture.study);
  REQUIRE(back.size() == 1);
  CHECK(back[0].gain == 0.03);
  CHECK(back[0].lo == -0.01);
  CHECK_FALSE(back[0].p.has_value());
  const std::vector<std::optional<double>> figures = {back[0].specificity,    back[0].specificity_lo,
                                                      back[0].specificity_hi, back[0].p_specific,
                                                      back[0].p_labels,       back[0].dose};
  CHECK((figures == std::vector<std::optional<double>>{0.04, 0.01, 0.07, 0.002, 0.005, 1.5}));
}

TEST_CASE("a resumed training run writes its steps anew", "[store]") {
  Scratch scratch;
  const TrainingRow run{"t0", "specialised", "{}", "0.1.0", "cpu"};
  const Id id = scratch.store.put_training(run);
  CHECK(scratch.store.put_training(run) == id);
  std::vector<TrainingStepRow> steps(2);
  steps[0] = {1, 512, 7.5, 0.01, std::nullopt, 3e-3, 1.0, 0.5, std::nullopt};
  steps[1] = {2, 1024, 7.25, 0.01, std::nullopt, 3e-3, 1.0, 1.0, "{\"accuracy\":0.1}"};
  scratch.store.put_training_steps(id, steps);
  steps[1].loss = 7.125;
  scratch.store.put_training_steps(id, std::span(steps).last(1));
  scratch.store.finish_training(id);
  const auto back = scratch.store.training_steps(id);
  REQUIRE(back.size() == 2);
  CHECK(back[0].loss == 7.5);
  CHECK(back[1].loss == 7.125);
  CHECK_FALSE(back[1].plant.has_value());
  CHECK(back[1].evaluation == "{\"accuracy\":0.1}");
}

TEST_CASE("published figures and events are kept", "[store]") {
  Scratch scratch;
  PublishedRow figure{"a paper", "table 2", "m", "math", "dsmoe", "K=8", 0.5, "fraction", "printed", "p. 6"};
  scratch.store.put_published(std::vector{figure});
  figure.value = 0.25;
  scratch.store.put_published(std::vector{figure});
  CHECK(scratch.value("SELECT sum(value) FROM published") == "0.25");
  scratch.store.add_event(std::nullopt, "start", "text");
  CHECK(scratch.value("SELECT kind || study IS NULL FROM event") == "1");
}
