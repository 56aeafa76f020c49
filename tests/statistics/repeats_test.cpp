// Figures of repeats against statsmodels, scipy and plain enumeration
// (tests/reference/statistics/make_metrics.py).
#include "experiments/statistics/repeats.h"

#include <array>
#include <vector>

#include "core/base/json.h"
#include "experiments/statistics/gain_parts.h"
#include "experiments/statistics/null_grid.h"
#include "experiments/statistics/paired_repeats.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::statistics;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

const Json& metrics_reference() {
  static const Json reference = read_json(testing::data_dir() / "statistics" / "metrics.json");
  return reference;
}

}  // namespace

TEST_CASE("pass@k and maj@k are means over all choices of k samples", "[statistics]") {
  REQUIRE(metrics_reference().at("votes").size() >= 30);
  for (const Json& row : metrics_reference().at("votes")) {
    INFO(row.dump());
    std::vector<VoteClass> classes;
    for (const Json& each : row.at("classes")) classes.push_back({each.at(0), each.at(1).get<bool>()});
    const auto n = row.at("n").get<std::int64_t>();
    for (std::int64_t k = 1; k <= n; ++k) {
      const auto at = static_cast<std::size_t>(k - 1);
      CHECK(pass_at_k(n, row.at("right"), k) == Approx(row.at("pass").at(at).get<double>()).margin(1e-12));
      CHECK(majority_at_k(classes, row.at("unparsed"), k) ==
            Approx(row.at("maj").at(at).get<double>()).margin(1e-12));
    }
  }
}

TEST_CASE("A tie for the first place shares the vote, and samples without an answer never win",
          "[statistics]") {
  const std::array<VoteClass, 2> tie{{{2, true}, {2, false}}};
  CHECK(majority_at_k(tie, 0, 4) == Approx(0.5).epsilon(1e-14));
  CHECK(majority_at_k(tie, 5, 9) == Approx(0.5).epsilon(1e-14));
  CHECK(majority_at_k({}, 3, 2) == 0);
  // Large counts stay exact enough: with 40 right of 64 samples all 64 always elect the right one.
  const std::array<VoteClass, 2> many{{{40, true}, {24, false}}};
  CHECK(majority_at_k(many, 0, 64) == Approx(1).epsilon(1e-12));
  CHECK_THROWS_WITH(majority_at_k(tie, 0, 5), ContainsSubstring("maj@5 of 4"));
  CHECK_THROWS_WITH(majority_at_k(tie, 0, 0), ContainsSubstring("maj@0"));
  CHECK_THROWS_WITH(pass_at_k(4, 5, 1), ContainsSubstring("5 right samples of 4"));
  CHECK_THROWS_WITH(pass_at_k(4, 1, 5), ContainsSubstring("pass@5"));
}

TEST_CASE("The clustered standard error and its interval equal those of statsmodels and scipy",
          "[statistics]") {
  REQUIRE(metrics_reference().at("clusters").size() >= 5);
  for (const Json& row : metrics_reference().at("clusters")) {
    const auto right = row.at("right").get<std::vector<std::uint8_t>>();
    const ClusteredMean mean = clustered_mean(count_right(right, row.at("repeats")));
    INFO(row.at("repeats") << " repeats of " << right.size());
    CHECK(mean.mean == Approx(row.at("mean").get<double>()).epsilon(1e-9));
    CHECK(mean.standard_error == Approx(row.at("se").get<double>()).epsilon(1e-9));
    CHECK(mean.interval.lo == Approx(row.at("lo").get<double>()).margin(1e-9));
    CHECK(mean.interval.hi == Approx(row.at("hi").get<double>()).margin(1e-9));
  }
}

TEST_CASE("With one repeat, and where no question differs, the interval is Wilson's", "[statistics]") {
  const std::array<std::uint8_t, 5> once{1, 0, 1, 1, 0}, same{2, 2, 2, 2, 2};
  CHECK(clustered_mean(count_right(once, 1)).interval.lo == wilson_interval(3, 5).lo);
  CHECK(clustered_mean(count_right(once, 1)).interval.hi == wilson_interval(3, 5).hi);
  const ClusteredMean all = clustered_mean(count_right(same, 2));
  CHECK(all.standard_error == 0);
  CHECK(all.interval.lo == wilson_interval(5, 5).lo);
  CHECK(all.interval.hi == 1);
  CHECK(clustered_mean(count_right({}, 2)).interval.hi == 1);
  CHECK_THROWS_WITH(count_right(same, 1), ContainsSubstring("2 right answers in 1"));
}

TEST_CASE("The bootstrap's interval ends at the quantiles of all draws of whole questions", "[statistics]") {
  for (const Json& row : metrics_reference().at("bootstraps")) {
    INFO(row.dump());
    const auto values = row.at("values").get<std::vector<double>>();
    const Interval interval = bootstrap_interval(values);
    CHECK(interval.lo == Approx(row.at("lo").get<double>()).margin(1e-12));
    CHECK(interval.hi == Approx(row.at("hi").get<double>()).margin(1e-12));
  }
  // A stream is its seed and name: equal ones give equal draws, others other ones.
  const std::vector<double> values{0, 0.31, 0.11, 0.77, 0.42, 0.05};
  BootstrapOptions few;
  few.draws = 50;
  BootstrapOptions other = few;
  other.name = "other";
  CHECK(bootstrap_interval(values, few).lo == bootstrap_interval(values, few).lo);
  CHECK(bootstrap_interval(values, few).lo != bootstrap_interval(values, other).lo);
  CHECK_THROWS_WITH(bootstrap_interval({}), ContainsSubstring("needs values"));
}

TEST_CASE("The bootstrap of a gain draws the questions' changes", "[statistics]") {
  // Changes 0, 0, 0, +1 of one repeat: the case [0, 0, 0, 1] of the reference, whatever the order.
  const std::array<std::uint8_t, 4> first{0, 1, 0, 1}, second{0, 1, 1, 1};
  const Interval interval = paired_bootstrap(pair_answers(first, second, 1));
  CHECK(interval.lo == 0);
  CHECK(interval.hi == 0.75);
}

TEST_CASE("The best of a null grid gains what an independent computation says", "[statistics]") {
  REQUIRE(metrics_reference().at("grids").size() >= 6);
  for (const Json& row : metrics_reference().at("grids")) {
    INFO(row.dump());
    const NullGrid grid{row.at("questions"), row.at("cells"), row.at("flip_rate")};
    const BestOfGrid best = best_of_grid(grid);
    CHECK(best.mean == Approx(row.at("mean").get<double>()).margin(1e-9));
    CHECK(best.median == Approx(row.at("median").get<double>()).margin(1e-12));
    CHECK(best.high == Approx(row.at("high").get<double>()).margin(1e-12));
    CHECK(best_of_grid_p(grid, row.at("claimed")) == Approx(row.at("p").get<double>()).margin(1e-9));
    // And near a simulation that knows nothing of distributions: mean and its standard error.
    const auto error = row.at("simulated").at(1).get<double>();
    CHECK(best.mean == Approx(row.at("simulated").at(0).get<double>()).margin(5 * error + 1e-12));
  }
}

TEST_CASE("A null grid that cannot be is refused", "[statistics]") {
  CHECK_THROWS_WITH(best_of_grid({0, 40, 0.1}), ContainsSubstring("questions is 0"));
  CHECK_THROWS_WITH(best_of_grid({100'001, 40, 0.1}), ContainsSubstring("100000"));
  CHECK_THROWS_WITH(best_of_grid({10, 0, 0.1}), ContainsSubstring("cells is 0"));
  CHECK_THROWS_WITH(best_of_grid_p({10, 1, 1.5}, 0), ContainsSubstring("flip rate is 1.5"));
}

TEST_CASE("Every answer that changed sides counts in exactly one part of the gain", "[statistics]") {
  using State = AnswerState;
  const State right{true}, wrong{false}, unparsed{false, false}, cut{false, false, true},
      cut_right{true, true, true};
  const State guessed{true, false};
  const std::vector<std::pair<State, State>> pairs = {
      {wrong, right},      // content +
      {right, wrong},      // content -
      {unparsed, right},   // format +
      {right, unparsed},   // format -
      {guessed, wrong},    // a lucky guess that became a wrong answer: format -
      {cut, right},        // truncation +, although it was not parsed either
      {right, cut},        // truncation -
      {cut_right, wrong},  // truncation -
      {cut, cut_right},    // both cut off: format +
      {right, right},     {cut, unparsed}, {wrong, unparsed},  // no change of sides
  };
  std::vector<State> first, second;
  for (const auto& [before, after] : pairs) {
    first.push_back(before);
    second.push_back(after);
  }
  const GainParts parts = split_gain(first, second);
  CHECK(parts.n == 12);
  CHECK(parts.content == GainPart{1, 1});
  CHECK(parts.format == GainPart{2, 2});
  CHECK(parts.truncation == GainPart{1, 2});
  CHECK(parts.net() == -1);
  CHECK_THROWS_WITH(split_gain(first, std::span(second).first(3)), ContainsSubstring("12 and 3"));
}

TEST_CASE("The parts of a gain sum to it, whatever the answers", "[statistics]") {
  // All pairs of the eight states a few times over.
  std::vector<AnswerState> first, second;
  std::int64_t net = 0;
  for (int i = 0; i < 64 * 3; ++i) {
    const auto state = [](int bits) {
      return AnswerState{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    };
    first.push_back(state(i % 8));
    second.push_back(state(i / 8 % 8));
    net += (second.back().is_right ? 1 : 0) - (first.back().is_right ? 1 : 0);
    const GainParts parts = split_gain(first, second);
    REQUIRE(parts.net() == net);
  }
}
