#include "experiments/selection.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;

// Right exactly on its own fold: the first candidate on fold 0, the second on fold 1.
const std::vector<std::vector<int>> kFolds = {{0, 0, 1, 1}};
const std::vector<Answers> kOwnFold = {{1, 1, 0, 0}, {0, 0, 1, 1}};
const Answers kOriginal = {1, 0, 1, 0};

}  // namespace

TEST_CASE("A setting that is best only on the fold it is reported on brings nothing", "[experiments]") {
  const auto parts = crossfit_parts(kFolds);
  REQUIRE(parts.size() == 2);
  const auto choices = choose(parts, kOwnFold, kOriginal);
  // Fold 0 is chosen on fold 1, where the second candidate is best, and it is all wrong on fold 0; and the
  // other way round. A selection that saw the reported fold would have every answer right.
  CHECK(choices[0].chosen == 1);
  CHECK(choices[1].chosen == 0);
  const Report result = report(parts, choices, kOwnFold, kOriginal);
  CHECK(result.counts().right_second == 0);
  CHECK(result.counts().right_first == 2);
  CHECK(result.counts().gain() == Approx(-0.5));
}

TEST_CASE("Choosing and reporting on the same questions gains what crossfit does not", "[experiments]") {
  const auto parts = paper_parts(4);
  const std::vector<Answers> answers = {{1, 1, 0, 0}, {0, 0, 1, 1}, {1, 1, 1, 0}};
  const auto choices = choose(parts, answers, kOriginal);
  REQUIRE(choices.size() == 1);
  CHECK(choices[0].chosen == 2);
  CHECK(choices[0].tuning_right == std::vector<std::int64_t>{2, 2, 3});
  const Report result = report(parts, choices, answers, kOriginal);
  CHECK(result.counts().gain() == Approx(0.25));
  CHECK(result.counts().wrong_right == 1);
  CHECK(result.counts().right_wrong == 0);
}

TEST_CASE("Holdout chooses on the tuning questions and reports on the others", "[experiments]") {
  const auto parts = holdout_parts({true, true, false, false});
  const auto choices = choose(parts, kOwnFold, kOriginal);
  REQUIRE(choices.size() == 1);
  CHECK(choices[0].chosen == 0);
  const Report result = report(parts, choices, kOwnFold, kOriginal);
  CHECK(result.counts().n == 2);
  CHECK(result.counts().right_second == 0);
  CHECK(result.counts().right_first == 1);
}

TEST_CASE("Of equals the setting nearest to the original wins", "[experiments]") {
  std::vector<Candidate> candidates = {{7, 2, 3.0, "logit_shift"},
                                       {5, 1, 3.0, "logit_shift"},
                                       {6, 1, 1.0 / 1.5, "logit_shift"},
                                       {4, 1, 10.0, "logit_shift"}};
  sort_candidates(candidates);
  // |ln alpha|: 0.41 for 1/1.5, 1.10 for 3 (fewer experts first), 2.30 for 10.
  std::vector<store::Id> order;
  for (const Candidate& candidate : candidates) order.push_back(candidate.cell);
  CHECK(order == std::vector<store::Id>{6, 5, 7, 4});
  const auto choices = choose(paper_parts(2), {{1, 0}, {0, 1}}, {1, 1});
  CHECK(choices[0].chosen == 0);
  CHECK(choices[0].original_as_good);
}

TEST_CASE("The reported assignment is the one with the lower median gain", "[experiments]") {
  // One question a fold, so every assignment chooses on the other question. With the folds swapped nothing
  // changes, therefore assignments differ here by their folds over four questions.
  const std::vector<Answers> answers = {{1, 1, 1, 1}, {1, 1, 0, 0}};
  const Answers original = {1, 0, 1, 0};
  const std::vector<SelectionPart> parts = {
      {0, 0, {0, 1}, {2, 3}}, {1, 0, {2, 3}, {0, 1}}, {2, 0, {0}, {1}}, {3, 0, {0}, {0}}};
  // Assignments 0, 2, 3 tune where both are equal and take the first; gains: 0.5, 0.5, 1, 0.
  const auto choices = choose(parts, answers, original);
  const Report result = report(parts, choices, answers, original);
  REQUIRE(result.by_assignment.size() == 4);
  CHECK(result.gain_low == Approx(0.0));
  CHECK(result.gain_high == Approx(1.0));
  CHECK(result.gain_median == Approx(0.5));
  CHECK(result.median == 0);  // sorted 0, 0.5, 0.5, 1: the second of four, the first of the equals
}

TEST_CASE("The modal choice is the most frequent one and the first of equals", "[experiments]") {
  const std::vector<Choice> choices = {
      {0, 2, {}, false}, {1, 1, {}, false}, {2, 2, {}, false}, {3, 1, {}, false}};
  const ModalChoice modal = modal_choice(choices, 3);
  CHECK(modal.candidate == 1);
  CHECK(modal.share == Approx(0.5));
}

TEST_CASE("Folds that a limit leaves empty are left out, and nothing to choose from is an error",
          "[experiments]") {
  const auto parts = crossfit_parts({{0, 2, 2}});
  CHECK(parts.size() == 2);
  CHECK(crossfit_parts({{1, 1}}).empty());
  CHECK(holdout_parts({false, false}).empty());
  CHECK_THROWS_AS(choose(parts, {}, {1, 1, 1}), Error);
  CHECK_THROWS_AS(report({}, {}, {}, {}), Error);
}

}  // namespace moelab::experiments
