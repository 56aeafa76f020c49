// The tables of a hand-filled database against expected texts, whose figures were worked out on paper.
#include "experiments/tables.h"

#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE(
    "the methods table shows the original first, random draws as one line, and marks what is significant",
    "[experiments]") {
  TableFixture fixture;
  fixture.add_comparisons();
  fixture.add_grid();
  const std::string text = render(methods_table(fixture.store, fixture.request(), false), TableFormat::text);
  CHECK(text == approved("methods.txt"));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    CHECK(end - at <= 160);
    at = end + 1;
  }
}

TEST_CASE("the methods table as CSV has one column a figure, as fractions", "[experiments]") {
  TableFixture fixture;
  fixture.add_comparisons();
  CHECK(render(methods_table(fixture.store, fixture.request(), true), TableFormat::csv) ==
        approved("methods.csv"));
}

TEST_CASE("the methods table marks domains of which only a part was run", "[experiments]") {
  TableFixture fixture;
  fixture.add_comparisons();
  fixture.add_grid();
  store::CellOutcome outcome;
  outcome.status = "partial";
  fixture.store.set_outcome(1, outcome);
  const std::string text = render(methods_table(fixture.store, fixture.request(), false), TableFormat::text);
  CHECK_THAT(text, ContainsSubstring("(partial: a part of the questions)"));
  CHECK_THAT(text, ContainsSubstring("1 partial"));
}

TEST_CASE("the paper's protocol is labelled as biased, with the null's best of the grid beside it",
          "[experiments]") {
  TableFixture fixture;
  store::ComparisonRow row = fixture.comparison("dsmoe", 0.56, 0.06);
  row.protocol = "paper";
  row.settings = R"({"chance": 0.1, "null_best_of_grid": 0.045})";
  fixture.store.put_comparisons(std::vector{row});
  TableRequest request = fixture.request();
  request.protocol = "paper";
  const std::string text = render(methods_table(fixture.store, request, false), TableFormat::text);
  CHECK_THAT(text, ContainsSubstring("biased upwards"));
  CHECK_THAT(text, ContainsSubstring("gains +6.0 for dsmoe, and +4.5 for random experts"));
}

TEST_CASE("the sweep table gives accuracy and gain on the questions that both answered", "[experiments]") {
  TableFixture fixture;
  fixture.add_grid();
  CHECK(render(sweep_table(fixture.store, fixture.request(), false), TableFormat::text) ==
        approved("sweep.txt"));
  CHECK(render(sweep_table(fixture.store, fixture.request(), true), TableFormat::csv) ==
        approved("sweep.csv"));
}

TEST_CASE("the sweep table of a small part of GPQA has counts", "[experiments]") {
  TableFixture fixture;
  fixture.add_grid();
  fixture.store.database().run("UPDATE question SET name = 'gpqa-' || name");
  const std::string text = render(sweep_table(fixture.store, fixture.request(), false), TableFormat::text);
  // sweep.txt's percentages of four answers (two of n_steered 4); 62.5 % of random draws are 2.5 of 4.
  CHECK_THAT(text, ContainsSubstring("original 2 of 4, n 4, counts for so few questions"));
  CHECK_THAT(text, ContainsSubstring("3 of 4 +1  1 of 4 -1") && ContainsSubstring("2 of 2 +0"));
  CHECK_THAT(text, !ContainsSubstring("75.0"));
  fixture.store.database().run("UPDATE question SET name = 'other-' || id");
  CHECK_THAT(render(sweep_table(fixture.store, fixture.request(), false), TableFormat::text),
             ContainsSubstring("75.0"));
}

TEST_CASE("the heat map shades scores by their place between the smallest and the largest", "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  HeatmapRequest request{fixture.request(), "paper", 2};
  request.table.domains = {"chemistry"};
  CHECK(render(heatmap_table(fixture.store, request, false), TableFormat::text) == approved("heatmap.txt"));
  CHECK(render(heatmap_table(fixture.store, request, true), TableFormat::csv) ==
        "layer,0,1,2,3\n0,0,0.1,0.2,0.3\n1,0.4,0.5,0.6,0.9\n");
}

TEST_CASE("the heat map of usage shows the share of tokens that select an expert", "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  HeatmapRequest request{fixture.request(), "usage", 2};
  // Expert e of layer l was counted 4 l + e + 1 times in 18 tokens.
  CHECK(render(heatmap_table(fixture.store, request, true), TableFormat::csv) ==
        "layer,0,1,2,3\n0,0.05556,0.1111,0.1667,0.2222\n1,0.2778,0.3333,0.3889,0.4444\n");
}

TEST_CASE("the overlap table compares the domains' top experts and each score with plain usage",
          "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  CHECK(render(overlap_table(fixture.store, {fixture.request(), {}, 2}), TableFormat::text) ==
        approved("overlap.txt"));
}

TEST_CASE("a table that asks for what is not stored says what is", "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  fixture.add_grid();
  HeatmapRequest heatmap{fixture.request(), "papr", 2};
  CHECK_THROWS_WITH(heatmap_table(fixture.store, heatmap, false), ContainsSubstring("did you mean 'paper'?"));
  CHECK_THROWS_WITH(require_study(fixture.store, "demmo"), ContainsSubstring("did you mean 'demo'?"));
  TableRequest other = fixture.request();
  other.evaluator = "mcq_letter";
  CHECK_THROWS_WITH(methods_table(fixture.store, other, false), ContainsSubstring("mcq_continuation/raw"));
  CHECK_THROWS_AS(methods_table(fixture.store, fixture.request(), false), ConfigError);
}
