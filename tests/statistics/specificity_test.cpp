#include "experiments/statistics/specificity.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "experiments/statistics/paired.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::statistics;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

using RightAnswers = std::vector<std::uint8_t>;

const Json& specificity_reference() {
  static const Json reference = read_json(testing::data_dir() / "statistics" / "specificity.json");
  return reference;
}

}  // namespace

TEST_CASE("Specificity, its interval and its test equal numpy's and scipy's", "[statistics]") {
  REQUIRE(specificity_reference().at("cases").size() >= 8);
  for (const Json& row : specificity_reference().at("cases")) {
    const auto right = row.at("right").get<std::vector<RightAnswers>>();
    INFO(right.size() << " plans, " << right[0].size() << " questions");
    const Specificity found = specificity_of(right[0], std::span(right).subspan(1), row.at("repeats"));
    CHECK(found.value == Approx(row.at("value").get<double>()).margin(1e-12));
    CHECK(found.p == Approx(row.at("p").get<double>()).epsilon(1e-9));
    CHECK(found.interval.lo == Approx(row.at("lo").get<double>()).margin(1e-9));
    CHECK(found.interval.hi == Approx(row.at("hi").get<double>()).margin(1e-9));
  }
}

TEST_CASE("The permutation of plan labels over domains equals the one written out", "[statistics]") {
  REQUIRE(specificity_reference().at("labels").size() >= 7);
  for (const Json& row : specificity_reference().at("labels")) {
    const auto gains = row.at("gains").get<std::vector<std::vector<double>>>();
    INFO(gains.size() << " domains");
    CHECK(plan_label_p(gains) == Approx(row.at("p").get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("Beyond eight domains labels are drawn, and a clear match reaches the smallest p", "[statistics]") {
  std::vector<std::vector<double>> gains(9, std::vector<double>(9, 0.0));
  CHECK(plan_label_p(gains) == 1);
  for (std::size_t d = 0; d < 9; ++d) gains[d][d] = 1;
  // The identity is one of 362,880 permutations: that it is drawn 9,999 times over is all but impossible.
  CHECK(plan_label_p(gains) == Approx(1e-4));
}

TEST_CASE("What a plan gives every domain is no match of plan and domain", "[statistics]") {
  // The third plan gains everywhere: every permutation sums to the same.
  const std::vector<std::vector<double>> gains(3, std::vector<double>{0, 0, 0.2});
  CHECK(plan_label_p(gains) == 1);
}

TEST_CASE("The smallest p is the product of the chances to be the largest", "[statistics]") {
  // Two questions that only the own plan has right, one that all have: 1/3 * 1/3.
  const std::vector<RightAnswers> others(2, RightAnswers{0, 0, 1});
  CHECK(specificity_of(RightAnswers{1, 1, 1}, others, 1).p == Approx(1.0 / 9).epsilon(1e-14));
}

TEST_CASE("Plans that answer alike differ in nothing, with the interval of unchanged pairs", "[statistics]") {
  const std::vector<RightAnswers> others(2, RightAnswers{1, 0, 1});
  const Specificity same = specificity_of(RightAnswers{1, 0, 1}, others, 1);
  CHECK(same.value == 0);
  CHECK(same.p == 1);
  CHECK(same.interval.hi == paired_difference_interval({3, 0, 0}).hi);
}

TEST_CASE("Very many questions are tested by the normal distribution, close to the exact test",
          "[statistics]") {
  // 50,000 questions, of which the own plan has 25,200 right and the other the rest: the exact one-sided test
  // of 25,200 of 50,000 at one half is .03718 (scipy.stats.binomtest).
  RightAnswers own(50'000, 0);
  std::fill_n(own.begin(), 25'200, std::uint8_t{1});
  std::vector<RightAnswers> others(1, RightAnswers(own.size()));
  for (std::size_t q = 0; q < own.size(); ++q) others[0][q] = own[q] == 1 ? 0 : 1;
  CHECK(specificity_of(own, others, 1).p == Approx(0.03718).margin(1e-4));
}

TEST_CASE("Answers that do not fit together are errors", "[statistics]") {
  const RightAnswers own = {1, 0};
  CHECK_THROWS_WITH(specificity_of(own, {}, 1), ContainsSubstring("another domain's plan"));
  const std::vector<RightAnswers> shorter = {{1}};
  CHECK_THROWS_WITH(specificity_of(own, shorter, 1), ContainsSubstring("equally many"));
  const std::vector<RightAnswers> more = {{2, 0}};
  CHECK_THROWS_WITH(specificity_of(own, more, 1), ContainsSubstring("1 repeats"));
  CHECK_THROWS_WITH(plan_label_p({{1.0}}), ContainsSubstring("two domains"));
  CHECK_THROWS_WITH(plan_label_p({{1.0, 0.0}, {0.0}}), ContainsSubstring("2 plans each, not 1"));
}
