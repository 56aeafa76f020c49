// Attention with sinks against its formula: one more column of logits, dropped after the softmax.
#include "core/model/sinks.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <limits>

#include "core/model/parts.h"
#include "tests/support/catch.h"

using namespace moelab;

namespace {

// The formula in float64, with copies * heads query heads that share key-value heads in groups.
at::Tensor expected_mix(const at::Tensor& query, const model::KvCache::Read& seen, const at::Tensor& sinks,
                        const at::Tensor& mask, double scale) {
  const std::int64_t heads = query.size(1), group = heads / seen.keys.size(1);
  std::vector<at::Tensor> mixed;
  for (std::int64_t head = 0; head < heads; ++head) {
    const at::Tensor keys = seen.keys.select(1, head / group).to(at::kDouble);
    const at::Tensor values = seen.values.select(1, head / group).to(at::kDouble);
    const at::Tensor scores = query.select(1, head).to(at::kDouble).matmul(keys.transpose(1, 2)) * scale;
    const at::Tensor hidden =
        scores.masked_fill(mask.squeeze(1).logical_not(), -std::numeric_limits<double>::infinity());
    const at::Tensor column =
        sinks[head % sinks.size(0)].to(at::kDouble).expand({scores.size(0), scores.size(1), 1});
    const at::Tensor shares = at::cat({hidden, column}, -1).softmax(-1).narrow(-1, 0, scores.size(2));
    mixed.push_back(shares.matmul(values));
  }
  return at::stack(mixed, 1);
}

}  // namespace

TEST_CASE("a sink takes its share of the softmax and gives nothing", "[model]") {
  // One head, dim 1, scale 1. The second token has scores 0.5 * 1 and 0.5 * 2, and the sink's logit is 0.25.
  const auto column = [](const std::vector<double>& values) {
    return at::tensor(values, at::kFloat).view({1, 1, -1, 1});
  };
  const at::Tensor mixed = model::attend_with_sinks(column({3, 0.5}), {column({1, 2}), column({10, 20})},
                                                    at::tensor({0.25f}), {}, 1.0);
  const double first = std::exp(3.0) / (std::exp(3.0) + std::exp(0.25));
  CHECK(mixed[0][0][0][0].item<double>() == Catch::Approx(10 * first));
  const double sum = std::exp(0.5) + std::exp(1.0) + std::exp(0.25);
  CHECK(mixed[0][0][1][0].item<double>() == Catch::Approx((10 * std::exp(0.5) + 20 * std::exp(1.0)) / sum));
}

TEST_CASE("sinks belong to heads, in every copy, with shared keys and any mask, and let gradients pass",
          "[model]") {
  // Two sequences, two copies of four heads, two key-value heads, three new tokens of five that are read.
  at::Tensor query = at::randn({2, 8, 3, 6}).requires_grad_(true);
  at::Tensor keys = at::randn({2, 4, 5, 6}).requires_grad_(true);
  at::Tensor values = at::randn({2, 4, 5, 6}).requires_grad_(true);
  const at::Tensor sinks = at::tensor({-1.0f, 0.5f, 2.0f, 3.0f});
  at::Tensor mask = at::ones({2, 1, 3, 5}, at::kBool).tril(2);
  mask[1][0][2][0] = false;
  const double scale = 0.7;
  const at::Tensor direction = at::randn({2, 8, 3, 6});
  const at::Tensor ours = model::attend_with_sinks(query, {keys, values}, sinks, mask, scale);
  const at::Tensor expected = expected_mix(query, {keys, values}, sinks, mask, scale);
  CHECK((ours - expected).abs().max().item<double>() < 1e-5);
  const auto gradients_of = [&](const at::Tensor& mixed) {
    (mixed * direction).sum().backward();
    std::vector<at::Tensor> gradients;
    for (at::Tensor* input : {&query, &keys, &values}) {
      gradients.push_back(input->grad());
      input->mutable_grad().reset();
    }
    return gradients;
  };
  const auto gradients = gradients_of(ours), expected_gradients = gradients_of(expected);
  for (std::size_t i = 0; i < gradients.size(); ++i)
    CHECK((gradients[i] - expected_gradients[i]).abs().max().item<double>() < 1e-5);
}

TEST_CASE("gpt-oss's norm multiplies by the weight before it rounds, Llama's after", "[model]") {
  const at::Tensor x = at::randn({64, 128}).to(at::kBFloat16),
                   weight = (at::rand({128}) + 0.5).to(at::kBFloat16);
  const at::Tensor wide = x.to(at::kDouble);
  const at::Tensor exact =
      (wide * (wide.pow(2).mean(-1, true) + 1e-3).rsqrt() * weight.to(at::kDouble)).to(at::kBFloat16);
  const auto share_apart = [&](const at::Tensor& y) {
    return (y != exact).to(at::kDouble).mean().item<double>();
  };
  CHECK(share_apart(model::rms_norm(x, weight.to(at::kFloat), 1e-3)) < 0.001);
  CHECK(share_apart(model::rms_norm(x, weight, 1e-3)) > 0.1);
}
