// The gated delta rule and the order of runs, on numbers that can be followed by hand.
#include "core/model/delta_rule.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/model/recurrent_order.h"
#include "tests/support/catch.h"

using namespace moelab;

namespace {

std::vector<std::int64_t> ids_of(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

// One run, one head: rows of numbers to [1, 1, tokens, dim].
at::Tensor one_run(const std::vector<float>& numbers, std::int64_t dim) {
  return at::tensor(numbers).view({1, 1, -1, dim});
}

// Made-up inputs of two runs and three heads, queries and keys shorter than one.
model::DeltaRuns made_up_runs(std::int64_t tokens) {
  const auto wave = [&](std::int64_t dim, double step) {
    return (at::arange(2 * 3 * tokens * dim, at::kFloat) * step).sin().view({2, 3, tokens, dim});
  };
  model::DeltaRuns runs;
  runs.query = wave(4, 0.7) * 0.4;
  runs.key = wave(4, 1.3) * 0.45;
  runs.value = wave(5, 0.9);
  runs.log_decay = -(wave(1, 0.31).squeeze(-1) + 1.05) * 0.4;
  runs.beta = wave(1, 0.57).squeeze(-1).sigmoid();
  runs.state = at::arange(2 * 3 * 4 * 5, at::kFloat).sin().view({2, 3, 4, 5});
  return runs;
}

model::DeltaRuns part_of(const model::DeltaRuns& runs, std::int64_t first, std::int64_t count,
                         const at::Tensor& state) {
  const auto part = [&](const at::Tensor& x) { return x.narrow(2, first, count); };
  return {part(runs.query), part(runs.key), part(runs.value), part(runs.log_decay), part(runs.beta), state};
}

}  // namespace

TEST_CASE("the delta rule gives numbers worked by hand", "[model]") {
  // Keys and values of width 1, so the state is one number: it halves before each token, and beta is 1 / 2.
  // Before: 4. Token 1: 2, holds 2 * 1 = 2 for key 1, value 6: 2 + 1 * (6 - 2) / 2 = 4; query 3 reads 12.
  // Token 2: 2, holds 2 * 2 = 4 for key 2, value 0: 2 + 2 * (0 - 4) / 2 = -2; query 1 reads -2.
  const float half = std::log(0.5f);
  const model::DeltaRuns runs{one_run({3, 1}, 1),
                              one_run({1, 2}, 1),
                              one_run({6, 0}, 1),
                              at::tensor({half, half}).view({1, 1, 2}),
                              at::tensor({0.5f, 0.5f}).view({1, 1, 2}),
                              one_run({4}, 1)};
  const auto both = model::gated_delta_rule(runs);
  CHECK((both.out.flatten() - at::tensor({12.0f, -2.0f})).abs().max().item<float>() < 1e-5);
  CHECK(std::abs(both.state.item<float>() + 2) < 1e-5);
  const auto first = model::gated_delta_rule(part_of(runs, 0, 1, runs.state));
  const auto second = model::gated_delta_rule(part_of(runs, 1, 1, first.state));
  CHECK(std::abs(first.out.item<float>() - 12) < 1e-5);
  CHECK(std::abs(second.out.item<float>() + 2) < 1e-5);
}

TEST_CASE("chunks give what single steps give, whatever the length", "[model]") {
  const std::int64_t tokens = GENERATE(2, 63, 64, 65, 150);
  CAPTURE(tokens);
  const model::DeltaRuns runs = made_up_runs(tokens);
  const auto whole = model::gated_delta_rule(runs);
  at::Tensor state = runs.state;
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < tokens; ++i) {
    const auto step = model::gated_delta_rule(part_of(runs, i, 1, state));
    out.push_back(step.out);
    state = step.state;
  }
  CHECK(whole.out.sizes() == at::IntArrayRef({2, 3, tokens, 5}));
  CHECK((whole.out - at::cat(out, 2)).abs().max().item<float>() < 2e-5);
  CHECK((whole.state - state).abs().max().item<float>() < 2e-5);
}

TEST_CASE("fast decay overflows nothing, and padding leaves the state alone", "[model]") {
  model::DeltaRuns runs = made_up_runs(70);
  runs.log_decay = runs.log_decay * 300;  // sums of some -8000 in a chunk
  const auto fast = model::gated_delta_rule(runs);
  CHECK(fast.out.isfinite().all().item<bool>());
  CHECK(fast.state.isfinite().all().item<bool>());
  // Behind token 40 all inputs are zero: a shorter run.
  model::DeltaRuns padded = made_up_runs(70);
  for (at::Tensor* part : {&padded.query, &padded.key, &padded.value, &padded.log_decay, &padded.beta})
    part->narrow(2, 40, 30).zero_();
  const auto longer = model::gated_delta_rule(padded);
  const auto shorter = model::gated_delta_rule(part_of(padded, 0, 40, padded.state));
  CHECK((longer.state - shorter.state).abs().max().item<float>() < 1e-5);
}

TEST_CASE("trunks come before branches, and each token looks back along its own path", "[model]") {
  // Two sequences: 3 tokens and branches of 2 and 1 (rows 0-2, 3-4, 5); 2 tokens with one branch (rows 6-8).
  const std::vector<model::SequenceShape> shapes = {{3, {2, 1}}, {2, {1}}};
  const auto order = model::make_recurrent_order(model::make_layout(shapes, at::kCPU), 3);
  CHECK(order.trunks.runs == 2);
  CHECK(order.trunks.width == 3);
  CHECK(ids_of(order.trunks.rows) == std::vector<std::int64_t>{0, 1, 2, 6, 7, 8});
  CHECK(ids_of(order.trunks.slots) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  CHECK_FALSE(order.trunks.is_identity);
  CHECK(order.branches.runs == 2);
  CHECK(ids_of(order.branches.rows) == std::vector<std::int64_t>{3, 4, 5});
  CHECK(ids_of(order.branches.slots) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(ids_of(order.branches.parents) == std::vector<std::int64_t>{0, 0});
  CHECK(ids_of(order.places) == std::vector<std::int64_t>{0, 1, 2, 6, 7, 8, 3, 4, 5});
  // Carried rows 0-1 are the first sequence's, 2-3 the second's; packed row r stands at 4 + r. In packed
  // order:
  REQUIRE(order.earlier.size() == 2);
  CHECK(ids_of(order.earlier[0]) == std::vector<std::int64_t>{0, 1, 4, 5, 6, 5, 2, 3, 10});
  CHECK(ids_of(order.earlier[1]) == std::vector<std::int64_t>{1, 4, 5, 6, 7, 6, 3, 10, 11});
  CHECK(ids_of(order.tails) == std::vector<std::int64_t>{5, 6, 11, 12});

  // A piece shorter than the look-back carries a part of what it was given on.
  const std::vector<std::int64_t> one = {1};
  const auto piece = model::make_recurrent_order(model::make_layout(one, at::kCPU), 4);
  CHECK(ids_of(piece.tails) == std::vector<std::int64_t>{1, 2, 3});
  CHECK(piece.trunks.is_identity);
  CHECK(piece.branches.runs == 0);
}
