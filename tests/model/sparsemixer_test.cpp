// Phi-MoE's routing weights, worked by hand from the formula in core/model/sparsemixer.h.
#include "core/model/sparsemixer.h"

#include <ATen/ops/tensor.h>

#include <cmath>

#include "tests/support/catch.h"

using namespace moelab;

namespace {

std::vector<double> weights_of(const std::vector<double>& logits, const std::vector<std::int64_t>& ids) {
  const at::Tensor weights =
      model::sparsemixer_weights(at::tensor(logits, at::kDouble).to(at::kFloat).unsqueeze(0),
                                 at::tensor(ids, at::kLong).unsqueeze(0), 0.01);
  std::vector<double> values;
  for (std::int64_t i = 0; i < weights.size(1); ++i) values.push_back(weights[0][i].item<double>());
  return values;
}

}  // namespace

TEST_CASE("sparsemixer weights are one unless a logit lies within two per cent of the largest", "[model]") {
  // 3.0 against 2.9: (3 - 2.9) / 3 = 0.033, beyond 0.02; each stands alone, and the weights sum to two.
  CHECK(weights_of({3.0, 1.0, 2.9, -5.0}, {0, 2}) == std::vector<double>{1.0, 1.0});
  // 3.0 against 2.95: 0.0167, within; the second's next is 1.0, far below.
  const auto near = weights_of({3.0, 1.0, 2.95, -5.0}, {0, 2});
  CHECK(near[0] == Catch::Approx(1 / (1 + std::exp(-0.05))));
  CHECK(near[1] == 1.0);
}

TEST_CASE("the sparsemixer's mask is relative to the larger magnitude, below zero too", "[model]") {
  // All negative: the divisor is |s|. (-1 + 1.015) / 1.015 = 0.0148, within.
  const auto negative = weights_of({-1.0, -1.015, -4.0}, {0, 1});
  CHECK(negative[0] == Catch::Approx(1 / (1 + std::exp(-0.015))));
  CHECK(negative[1] == 1.0);
}

TEST_CASE("an expert that steering selects from below competes with those above it", "[model]") {
  // Expert 1 first: all not below it count, so e^1 / (e^1 + e^3 + e^2.9). Then expert 0, with 2.9 too far.
  const auto weights = weights_of({3.0, 1.0, 2.9, -5.0}, {1, 0});
  CHECK(weights[0] == Catch::Approx(std::exp(1.0) / (std::exp(1.0) + std::exp(3.0) + std::exp(2.9))));
  CHECK(weights[1] == 1.0);
}
