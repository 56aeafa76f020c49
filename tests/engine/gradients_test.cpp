#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/measured.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("gradients and losses equal autograd's over transformers, in batches of any size",
          "[engine][parity]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const auto batch_tokens = GENERATE(std::int64_t{1}, std::int64_t{8192});
  CAPTURE(name, batch_tokens);
  const ModelReference reference(name);
  engine::EngineOptions options;
  options.batch_tokens = batch_tokens;
  const auto engine = load_engine(reference.checkpoint, options);
  std::vector<engine::GradientItem> items;
  for (const auto& prompt : reference.prompts) items.push_back({prompt, 1});
  const auto results = engine.gradients(items);
  double largest = 0;  // relative to the largest gradient of each prompt
  for (std::size_t p = 0; p < items.size(); ++p) {
    const at::Tensor expected = reference.tensor(fmt::format("prompt.{}.gradient", p));
    CHECK(results[p].loss == Catch::Approx(reference.fields.at("losses")[p].get<double>()).epsilon(1e-5));
    const double error =
        largest_difference(results[p].gradient, expected) / expected.abs().max().item<double>();
    CHECK(error < 1e-3);
    largest = std::max(largest, error);
  }
  if (batch_tokens == engine::EngineOptions{}.batch_tokens) record_figures(name, {{"gradients", largest}});
}

TEST_CASE("no weight gets a gradient", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<engine::GradientItem> items = {{reference.prompts[1], 1}};
  engine.gradients(items);
  const model::ModelWeights& weights = engine.model().weights();
  CHECK_FALSE(weights.embedding.grad().defined());
  for (const model::LayerWeights& layer : weights.layers) {
    CHECK_FALSE(layer.attention.query.weight.grad().defined());
    for (const model::MlpWeights& expert : std::get<model::MoeWeights>(layer.mlp).experts)
      CHECK_FALSE((expert.gate.requires_grad() || expert.gate.grad().defined()));
  }
}

TEST_CASE("a gradient item without anything to predict is an error", "[engine]") {
  const auto engine = load_engine(data_dir() / "model" / "olmoe_tiny");
  const std::vector<engine::GradientItem> items = {{{1, 2, 3}, 1}, {{4}, 1}};
  CHECK_THROWS_WITH(engine.gradients(items), ContainsSubstring("gradient item 1"));
}
