#include "experiments/halving.h"

#include <cmath>

#include "core/base/random.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

// A setting's answers to 4 questions from a text of 0 and 1.
Answers answers(const std::string& text) {
  Answers right;
  for (const char c : text) right.push_back(c == '1' ? 1 : 0);
  return right;
}

}  // namespace

TEST_CASE("The rungs of a halving are those worked by hand", "[experiments]") {
  using Sizes = std::vector<RungSize>;
  // 8 settings: 8, 4, 2, and the best of 2; 20 questions are the end, 10 and 5 before.
  CHECK((rung_sizes(8, 20, {2, 0}) == Sizes{{8, 5}, {4, 10}, {2, 20}}));
  // 9 by thirds: 9, 3, and the best of 3; 45 questions and 15.
  CHECK((rung_sizes(9, 45, {3, 0}) == Sizes{{9, 15}, {3, 45}}));
  // Rounded up both ways: 5, 3, 2; 7, 4, 2.
  CHECK((rung_sizes(5, 7, {2, 0}) == Sizes{{5, 2}, {3, 4}, {2, 7}}));
  CHECK((rung_sizes(8, 20, {2, 2}) == Sizes{{8, 10}, {4, 20}}));
  CHECK((rung_sizes(4, 20, {2, 9}) == Sizes{{4, 10}, {2, 20}}));
  // Too few questions for the six rungs of 64: 1, 2 and 3 of them.
  CHECK((rung_sizes(64, 3, {2, 0}) == Sizes{{64, 1}, {32, 2}, {16, 3}}));
  CHECK((rung_sizes(1, 20, {2, 0}) == Sizes{{1, 20}}));
  CHECK(rung_sizes(0, 20, {}).empty());
  CHECK(rung_sizes(4, 0, {}).empty());
  // 8 x 5, 4 x 5 more, 2 x 10 more.
  CHECK(asked_answers(rung_sizes(8, 20, {2, 0})) == 80);
}

TEST_CASE("A halving drops the settings that a reckoning by hand drops", "[experiments]") {
  // Four settings on four questions: two questions for all, then all four for two of them.
  // Right of the first two: 1, 2, 1, 0. Setting 1 goes on, and of 0 and 2 the first. Setting 2, which would
  // have been the best of all four questions, is out. Of all four: setting 0 has 3, setting 1 has 2.
  const std::vector<Answers> all = {answers("1011"), answers("1100"), answers("0111"), answers("0011")};
  const Halving done = halve(all, 4, {});
  REQUIRE(done.rungs.size() == 2);
  CHECK(done.rungs[0].questions == 2);
  CHECK((done.rungs[0].settings == std::vector<std::size_t>{0, 1, 2, 3}));
  CHECK((done.rungs[0].right == std::vector<std::int64_t>{1, 2, 1, 0}));
  CHECK(done.rungs[1].questions == 4);
  CHECK((done.rungs[1].settings == std::vector<std::size_t>{0, 1}));
  CHECK((done.rungs[1].right == std::vector<std::int64_t>{3, 2}));
  CHECK((done.left == std::vector<std::size_t>{0}));
  CHECK(done.is_done());

  // What is not asked yet is not read: the same with as many answers as the rungs ask for.
  std::vector<Answers> asked = {answers("10"), answers("11"), answers("01"), answers("0")};
  Halving state = halve(asked, 4, {});
  CHECK(state.rungs.empty());
  CHECK(state.next == 2);
  CHECK(state.left.size() == 4);
  asked[3] = answers("00");
  state = halve(asked, 4, {});
  CHECK(state.rungs.size() == 1);
  CHECK(state.next == 4);
  CHECK((state.left == std::vector<std::size_t>{0, 1}));
  CHECK(!state.is_done());
  asked[0] = all[0];
  asked[1] = all[1];
  CHECK((halve(asked, 4, {}).left == done.left));
}

TEST_CASE("Of equals the first by the tie rule goes on, at each rung", "[experiments]") {
  const std::vector<Answers> equal(5, answers("1111"));
  const Halving done = halve(equal, 4, {});
  CHECK((done.rungs[1].settings == std::vector<std::size_t>{0, 1, 2}));
  CHECK((done.left == std::vector<std::size_t>{0}));
  CHECK(!halve({}, 4, {}).is_done());
  CHECK(!halve(equal, 0, {}).is_done());
}

TEST_CASE("Where no setting is better than another, a halving's winner gains nothing on other questions",
          "[experiments]") {
  // 16 settings whose answers are coins, on 32 questions to choose on and 32 to report on. The winner of each
  // of 400 halvings is right on more than half of the former, and on half of the latter.
  constexpr int kStudies = 400, kSettings = 16, kTuning = 32, kReported = 32;
  double tuning = 0, reported = 0;
  RandomStream stream(1, "halving of coins");
  for (int study = 0; study < kStudies; ++study) {
    std::vector<Answers> tuned(kSettings), rest(kSettings);
    for (int s = 0; s < kSettings; ++s) {
      for (int q = 0; q < kTuning; ++q) tuned[s].push_back(stream.below(2) == 1 ? 1 : 0);
      for (int q = 0; q < kReported; ++q) rest[s].push_back(stream.below(2) == 1 ? 1 : 0);
    }
    const Halving done = halve(tuned, kTuning, {});
    REQUIRE(done.is_done());
    for (const auto right : tuned[done.left.front()]) tuning += right;
    for (const auto right : rest[done.left.front()]) reported += right;
  }
  const double deviation = 0.5 / std::sqrt(kStudies * kReported);  // of a share of so many coins
  CHECK(std::abs(reported / (kStudies * kReported) - 0.5) < 3 * deviation);
  CHECK(tuning / (kStudies * kTuning) - 0.5 > 10 * deviation);
}

}  // namespace moelab::experiments
