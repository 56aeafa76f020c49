#include "experiments/statistics/exact_sum.h"

#include <array>

#include "core/base/error.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::statistics;
using Catch::Approx;

TEST_CASE("Two dice have the sums that are counted on fingers", "[statistics]") {
  std::vector<Outcome> die;
  for (std::int64_t face = 1; face <= 6; ++face) die.push_back({face, 1.0 / 6});
  ExactSum sum;
  sum.add(die);
  sum.add(die);
  REQUIRE(sum.chances().size() == 13);
  for (std::int64_t s = 0; s <= 12; ++s) {
    const double ways = s < 2 ? 0 : static_cast<double>(s <= 7 ? s - 1 : 13 - s);
    CHECK(sum.chances()[static_cast<std::size_t>(s)] == Approx(ways / 36).margin(1e-15));
  }
  CHECK(sum.at_least(11) == Approx(3.0 / 36));
  CHECK(sum.at_least(-4) == Approx(1));
  CHECK(sum.at_least(-4) <= 1);
  CHECK(sum.at_least(13) == 0);
}

TEST_CASE("A value that comes twice counts twice, and nothing added is the sum 0", "[statistics]") {
  ExactSum sum;
  CHECK(sum.at_least(0) == 1);
  CHECK(sum.at_least(1) == 0);
  sum.add(std::array{Outcome{2, 0.25}, Outcome{2, 0.25}, Outcome{0, 0.5}});
  CHECK((sum.chances() == std::vector<double>{0.5, 0, 0.5}));
  CHECK_THROWS_AS(sum.add(std::array{Outcome{-1, 1}}), Error);
}
