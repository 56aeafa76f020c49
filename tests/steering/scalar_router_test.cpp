// The self-test's own recomputation, against routings worked by hand.
#include "core/steering/scalar_router.h"

#include <cmath>

#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::steering;

namespace {

model::RouterSpec spec_of(model::ScoreFunction score, std::int64_t experts) {
  model::RouterSpec spec;
  spec.score = score;
  spec.experts = experts;
  spec.top_k = 2;
  return spec;
}

void check_routing(const ScalarRouting& routing, std::size_t first, std::size_t second,
                   std::pair<double, double> weights) {
  CHECK(routing.order[0] == first);
  CHECK(routing.order[1] == second);
  REQUIRE(routing.weights.size() == 2);
  CHECK(routing.weights[0] == Catch::Approx(weights.first));
  CHECK(routing.weights[1] == Catch::Approx(weights.second));
}

double logit_of(double probability) { return std::log(probability / (1 - probability)); }

}  // namespace

TEST_CASE("scalar routing: sigmoid scores, a bias for the choice alone, a factor on the weights",
          "[steering]") {
  // Scores 0.5, 0.75, 0.25, 0.9; with the bias 1.0, 0.35, 0.95, 0.3.
  model::RouterSpec spec = spec_of(&model::sigmoid_score, 4);
  const ScalarRow row{{0.0, std::log(3.0), -std::log(3.0), std::log(9.0)}, {0.5, -0.4, 0.7, -0.6}};
  check_routing(route_scalar(spec, row, 1e-5), 0, 2, {0.5, 0.25});
  spec.renormalise = true;
  spec.weight_multiplier = 1.8;
  check_routing(route_scalar(spec, row, 1e-5), 0, 2, {1.2, 0.6});
}

TEST_CASE("scalar routing: softmax scores with a bias, and a sum that is too small to divide by",
          "[steering]") {
  // Probabilities 0.6, 0.2, 0.1, 0.1; with the bias 0.0, 0.2, 0.6, 0.5. The chosen sum to 0.2.
  model::RouterSpec spec = spec_of(&model::softmax_score, 4);
  const ScalarRow row{{std::log(6.0), std::log(2.0), 0.0, 0.0}, {-0.6, 0.0, 0.5, 0.4}};
  check_routing(route_scalar(spec, row, 1e-5), 2, 3, {0.1, 0.1});
  spec.renormalise = true;
  check_routing(route_scalar(spec, row, 1e-5), 2, 3, {0.5, 0.5});
  spec.smallest_sum = 0.5;
  check_routing(route_scalar(spec, row, 1e-5), 2, 3, {0.2, 0.2});
}

TEST_CASE("scalar routing: only the best groups take part", "[steering]") {
  model::RouterSpec spec = spec_of(&model::sigmoid_score, 6);
  spec.groups = 3;
  spec.groups_kept = 1;
  spec.group_score = model::GroupScore::two_largest_summed;
  const ScalarRow row{
      {logit_of(0.9), logit_of(0.1), logit_of(0.6), logit_of(0.5), logit_of(0.75), logit_of(0.2)}, {}};
  check_routing(route_scalar(spec, row, 1e-5), 2, 3, {0.6, 0.5});
  spec.group_score = model::GroupScore::largest;
  check_routing(route_scalar(spec, row, 1e-5), 0, 1, {0.9, 0.1});
  spec.groups_kept = 2;
  check_routing(route_scalar(spec, row, 1e-5), 0, 4, {0.9, 0.75});
}

TEST_CASE("scalar routing: near-ties that would change weights are marked", "[steering]") {
  model::RouterSpec spec = spec_of(&model::sigmoid_score, 4);
  spec.has_selection_bias = true;
  // Choice values 0.9, 0.7, 0.7 + 2e-5, 0: the second and third cannot be told apart at 1e-5, their scores
  // can.
  const ScalarRow near{{logit_of(0.9), logit_of(0.7), logit_of(0.2), logit_of(0.5)}, {0, 0, 0.50002, -0.5}};
  CHECK(route_scalar(spec, near, 1e-5).is_ambiguous);
  CHECK_FALSE(route_scalar(spec, near, 1e-7).is_ambiguous);
  spec.has_selection_bias = false;
  spec.groups = 2;
  spec.groups_kept = 1;
  // Groups of 0.9 and 0.90001 by their best.
  const ScalarRow groups{{logit_of(0.9), logit_of(0.7), logit_of(0.90001), logit_of(0.5)}, {}};
  CHECK(route_scalar(spec, groups, 1e-5).is_ambiguous);
  CHECK_FALSE(route_scalar(spec, groups, 1e-8).is_ambiguous);
}
