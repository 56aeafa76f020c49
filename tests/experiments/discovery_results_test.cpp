#include "experiments/discovery_results.h"

#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;

namespace {

// A model of one layer with four experts, and a question whose tokens all go to one of them.
discovery::RoutingCounts all_to(std::size_t expert, std::int64_t tokens) {
  discovery::RoutingCounts counts;
  counts.total.assign(4, 0);
  counts.important = counts.common = counts.total;
  counts.total[expert] = counts.important[expert] = tokens;
  return counts;
}

DiscoveryResult layer_of_results() {
  DiscoveryResult result;
  result.domain = "chemistry";
  result.grid = {1, 4};
  result.moe_experts = {0, 1, 2, 3};
  return result;
}

}  // namespace

TEST_CASE("stored routing counts come back by question and as usage", "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  const auto results = discovery_results(fixture.store, fixture.request());
  REQUIRE(results.size() == 2);
  CHECK(results[0].domain == "chemistry");
  CHECK(results[0].grid.name(7) == "1:3");
  const auto counts = question_counts(fixture.store, results[0]);
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].total == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(usage(fixture.store, results[0])[7] == Catch::Approx(8.0 / 18));
}

TEST_CASE("a ranking that every question agrees on survives every resample", "[experiments]") {
  const std::vector<discovery::RoutingCounts> counts(10, all_to(2, 5));
  const Stability stability =
      ranking_stability(discovery::Score::frequency, counts, {}, layer_of_results(), {1, 50}, 1);
  CHECK(stability.mean == 1.0);
  CHECK(stability.low == 1.0);
}

TEST_CASE("the top expert of two equal questions is kept in the resamples that draw its question",
          "[experiments]") {
  // Expert 0 (3 tokens) wins unless both draws are question 1 (2 tokens): probability 1/4.
  const std::vector<discovery::RoutingCounts> counts = {all_to(0, 3), all_to(1, 2)};
  const Stability stability =
      ranking_stability(discovery::Score::frequency, counts, {}, layer_of_results(), {1, 4000}, 1);
  CHECK(stability.mean == Catch::Approx(0.75).margin(0.03));  // four standard errors of 4000 draws
  CHECK(stability.low == 0.0);
}

TEST_CASE("the best experts are ordered by value, ties by layer and expert", "[experiments]") {
  const std::vector<double> values = {0.1, 0.5, 0.5, 0.9};
  CHECK(best_experts(values, {0, 1, 2, 3}, 3) == std::vector<std::int64_t>{3, 1, 2});
  CHECK(best_experts(values, {0, 2}, 3) == std::vector<std::int64_t>{2, 0});
}

TEST_CASE(
    "an expert that a ranking leaves out is never among the best, and a score of one domain is not shared",
    "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  const auto results = discovery_results(fixture.store, fixture.request());
  REQUIRE(results[1].domain == "physics");
  const store::ScoreRow only = {"sql/mine", 0, 2, -5.0, 1};
  fixture.store.put_scores(results[1].run, std::vector{only});
  CHECK(score_names(fixture.store, results[1].run) == std::vector<std::string>{"paper", "sql/mine"});
  CHECK(shared_score_names(fixture.store, results) == std::vector<std::string>{"paper"});
  const auto values = stored_scores(fixture.store, results[1], "sql/mine");
  CHECK(best_experts(values, results[1].moe_experts, 4) == std::vector<std::int64_t>{2});
}
