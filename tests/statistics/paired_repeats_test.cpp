#include "experiments/statistics/paired_repeats.h"

#include <array>

#include "core/base/error.h"
#include "core/base/json.h"
#include "experiments/statistics/paired.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::statistics;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("The sign-flip test and the interval of repeats equal scipy's", "[statistics]") {
  const Json reference = read_json(testing::data_dir() / "statistics" / "repeats.json");
  REQUIRE(reference.at("cases").size() >= 10);
  for (const Json& row : reference.at("cases")) {
    const auto first = row.at("first").get<std::vector<std::uint8_t>>();
    const auto second = row.at("second").get<std::vector<std::uint8_t>>();
    INFO(row.dump());
    const PairedAnswers answers = pair_answers(first, second, row.at("repeats"));
    CHECK(paired_p(answers) == Approx(row.at("p").get<double>()).epsilon(1e-9));
    CHECK(answers.gain() == Approx(row.at("gain").get<double>()).margin(1e-12));
    CHECK(answers.mean_square() == Approx(row.at("mean_square").get<double>()).margin(1e-12));
    CHECK(answers.flip_rate() == Approx(row.at("flip_rate").get<double>()).margin(1e-12));
    CHECK(answers.accuracy_second() - answers.accuracy_first() == Approx(answers.gain()).margin(1e-12));
    if (!row.contains("lo")) continue;
    const Interval interval = paired_interval(answers);
    CHECK(interval.lo == Approx(row.at("lo").get<double>()).margin(1e-9));
    CHECK(interval.hi == Approx(row.at("hi").get<double>()).margin(1e-9));
  }
}

TEST_CASE("With one repeat the figures are those of McNemar and Tango", "[statistics]") {
  const std::array<std::uint8_t, 8> first{0, 0, 1, 1, 0, 1, 0, 0}, second{1, 1, 0, 1, 0, 1, 1, 1};
  const PairedAnswers answers = pair_answers(first, second, 1);
  const PairedCounts counts = count_pairs(first, second);
  CHECK(answers.wrong_right == counts.wrong_right);
  CHECK(answers.right_wrong == counts.right_wrong);
  CHECK(answers.flip_rate() == counts.flip_rate());
  CHECK(answers.mean_square() == counts.flip_rate());
  CHECK(answers.gain() == counts.gain());
  CHECK(paired_p(answers) == mcnemar_exact_p(4, 1));
  CHECK(paired_interval(answers).lo == paired_difference_interval(counts).lo);
  CHECK(paired_interval(answers).hi == paired_difference_interval(counts).hi);
}

TEST_CASE("The sign-flip test follows its sum by hand", "[statistics]") {
  // Changes +2, +1, +1: |sum| = 4 is reached by two of eight sign choices, all plus and all minus.
  const std::array<std::uint8_t, 3> first{0, 1, 0}, second{2, 2, 1};
  CHECK(paired_p(pair_answers(first, second, 2)) == Approx(2.0 / 8).epsilon(1e-14));
}

TEST_CASE("Where no question changed the interval is that of unchanged pairs", "[statistics]") {
  const std::array<std::uint8_t, 3> same{0, 2, 1};
  const Interval interval = paired_interval(pair_answers(same, same, 2));
  CHECK(interval.hi == paired_difference_interval({3, 0, 0}).hi);
  CHECK(interval.hi > 0.5);
  CHECK(paired_p(pair_answers(same, same, 2)) == 1);
}

TEST_CASE("Answers that do not fit their repeats are refused", "[statistics]") {
  const std::array<std::uint8_t, 2> one{0, 3}, other{0, 1};
  CHECK_THROWS_WITH(pair_answers(one, other, 2),
                    ContainsSubstring("question 1") && ContainsSubstring("2 repeats"));
  CHECK_THROWS_WITH(pair_answers(one, std::span(other).first(1), 4), ContainsSubstring("2 and 1"));
}

TEST_CASE("A mean's interval is Student's", "[statistics]") {
  // Mean 2, standard deviation 1, n = 3: t(2) at .975 is 4.302653, so the half width is 4.302653 / sqrt(3).
  const std::array<double, 3> values{1, 2, 3};
  CHECK(mean_interval(values).hi == Approx(2 + 4.302652729696142 / 1.7320508075688772).epsilon(1e-9));
  CHECK(mean_interval(values).lo == Approx(2 - 4.302652729696142 / 1.7320508075688772).epsilon(1e-9));
  CHECK(mean_interval(std::span(values).first(1)).lo == 1);
}
