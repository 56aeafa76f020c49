// The router stage where choice and weights part: sigmoid scores, selection biases and groups, worked by
// hand.
#include "core/model/router.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "tests/support/catch.h"

using namespace moelab;

namespace {

// One token whose router logits are given: the linear layer is the identity.
struct Token {
  model::RouterSpec spec;
  model::RouterWeights weights;
  at::Tensor logits;  // [1, experts]
  model::LayerSteering layer;

  Token(const std::vector<double>& row, const std::vector<double>& bias)
      : logits(at::tensor(row, at::kDouble).to(at::kFloat).unsqueeze(0)) {
    spec.experts = static_cast<std::int64_t>(row.size());
    spec.top_k = 2;
    spec.score = &model::sigmoid_score;
    spec.has_selection_bias = true;
    weights.weight = at::eye(spec.experts);
    weights.selection_bias = at::tensor(bias, at::kDouble).to(at::kFloat);
  }

  at::Tensor flags(std::initializer_list<std::int64_t> experts) const {
    at::Tensor table = at::zeros({1, spec.experts}, at::kBool);
    for (const std::int64_t expert : experts) table[0][expert] = true;
    return table;
  }

  model::Routing route(bool steered = false) const {
    model::RouterSteering steering;
    steering.layer = &layer;
    steering.plan_of_token = at::zeros({1}, at::kLong);
    return model::route(spec, weights, logits, steered ? &steering : nullptr);
  }
};

std::vector<std::int64_t> ids_of(const model::Routing& routing) {
  std::vector<std::int64_t> ids;
  for (std::int64_t k = 0; k < routing.ids.size(1); ++k)
    ids.push_back(routing.ids[0][k].item<std::int64_t>());
  std::sort(ids.begin(), ids.end());
  return ids;
}

double weight_of(const model::Routing& routing, std::int64_t expert) {
  return routing.weights.masked_select(routing.ids == expert).item<double>();
}

double logit_for(double probability) { return std::log(probability / (1 - probability)); }

// Three groups of two, of which one is kept. By their best two the groups count 1.0, 1.1 and 0.95; by their
// best one 0.9, 0.6 and 0.75.
Token grouped_token() {
  Token token({logit_for(0.9), logit_for(0.1), logit_for(0.6), logit_for(0.5), logit_for(0.75), logit_for(0.2)},
              {0, 0, 0, 0, 0, 0});
  token.spec.groups = 3;
  token.spec.groups_kept = 1;
  token.spec.group_score = model::GroupScore::two_largest_summed;
  return token;
}

}  // namespace

TEST_CASE("a selection bias decides who is chosen and leaves the weights alone", "[model]") {
  // Sigmoids 0.5, 0.75, 0.25, 0.9; with the bias 1.0, 0.35, 0.95, 0.3. The weights are 0.5 and 0.25.
  Token token({0.0, std::log(3.0), -std::log(3.0), std::log(9.0)}, {0.5, -0.4, 0.7, -0.6});
  CHECK(ids_of(token.route()) == std::vector<std::int64_t>{0, 2});
  CHECK(weight_of(token.route(), 0) == Catch::Approx(0.5));
  CHECK(weight_of(token.route(), 2) == Catch::Approx(0.25));
  SECTION("renormalised and multiplied") {
    token.spec.renormalise = true;
    token.spec.weight_multiplier = 1.8;
    CHECK(weight_of(token.route(), 0) == Catch::Approx(1.2));
    CHECK(weight_of(token.route(), 2) == Catch::Approx(0.6));
  }
  SECTION("divided by no less than the smallest sum, which the offset counts towards") {
    token.spec.renormalise = true;
    token.spec.sum_offset = 0.05;
    CHECK(weight_of(token.route(), 0) == Catch::Approx(0.5 / 0.8));
    token.spec.smallest_sum = 2;
    CHECK(weight_of(token.route(), 0) == Catch::Approx(0.25));
  }
}

TEST_CASE("a logit shift multiplies the odds of a sigmoid score, and does not beat every bias", "[model]") {
  Token token({0.0, std::log(3.0), -std::log(3.0), std::log(9.0)}, {0.5, -0.4, 0.7, -0.6});
  token.layer.select_shift = token.layer.weight_shift = at::zeros({1, 4});
  SECTION("odds 1/3 times 9 are odds 3, a score of 0.75") {
    token.layer.select_shift[0][2] = std::log(9.0);
    CHECK(weight_of(token.route(true), 2) == Catch::Approx(0.75));
  }
  SECTION("a score of at most 1 with the bias -0.6 stays behind 0.95") {
    token.layer.select_shift[0][3] = 50.0;
    CHECK(ids_of(token.route(true)) == std::vector<std::int64_t>{0, 2});
  }
}

TEST_CASE("scaled sigmoid scores keep the row's total before the bias is added", "[model]") {
  // Scores 0.5, 0.75, 0.25, 0.9 sum to 2.4. Expert 2 times 4 makes 3.15, so all times 2.4 / 3.15.
  Token token({0.0, std::log(3.0), -std::log(3.0), std::log(9.0)}, {0.5, -0.4, 0.7, -0.6});
  token.layer.score_scale = at::tensor({1.0f, 1.0f, 4.0f, 1.0f}).unsqueeze(0);
  const model::Routing routing = token.route(true);
  CHECK(ids_of(routing) == std::vector<std::int64_t>{0, 2});
  CHECK(weight_of(routing, 0) == Catch::Approx(0.5 * 2.4 / 3.15));
  CHECK(weight_of(routing, 2) == Catch::Approx(1.0 * 2.4 / 3.15));
}

TEST_CASE("experts are chosen from the groups whose best ones count most", "[model]") {
  Token token = grouped_token();
  CHECK(ids_of(token.route()) == std::vector<std::int64_t>{2, 3});
  token.spec.group_score = model::GroupScore::largest;
  CHECK(ids_of(token.route()) == std::vector<std::int64_t>{0, 1});
  token.spec.groups_kept = 2;
  CHECK(ids_of(token.route()) == std::vector<std::int64_t>{0, 4});
}

TEST_CASE("choice values below zero lose to none of a dropped group", "[model]") {
  Token token = grouped_token();
  token.weights.selection_bias = token.weights.selection_bias - 2.0;  // the same for all: no choice changes
  CHECK(ids_of(token.route()) == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("force and forbid hold whatever the groups", "[model]") {
  Token token = grouped_token();
  SECTION("forced experts in more groups than are kept") {
    token.layer.force = token.flags({0, 5});
    CHECK(ids_of(token.route(true)) == std::vector<std::int64_t>{0, 5});
  }
  SECTION("a forbidden expert weighs its group down") {
    token.layer.forbid = token.flags({2});
    CHECK(ids_of(token.route(true)) == std::vector<std::int64_t>{0, 1});
  }
  SECTION("a kept group that runs out is filled up, but not with forbidden experts") {
    token.layer.force = token.flags({3});
    token.layer.forbid = token.flags({2, 0, 5});
    const auto ids = ids_of(token.route(true));
    CHECK(std::count(ids.begin(), ids.end(), 3) == 1);
    for (const std::int64_t forbidden : {2, 0, 5}) CHECK(std::count(ids.begin(), ids.end(), forbidden) == 0);
  }
}
