#include "core/steering/self_test.h"

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the self-test passes on every family and layout", "[steering]") {
  const auto name = GENERATE(from_range(all_layouts())).first;
  const auto report = steering::self_test(model::Model::load(data_dir() / "model" / name));
  CHECK(report.layers == 2);
  CHECK(report.experts == 3);
  CHECK(report.largest_difference < 1e-5);
  // 16 tokens under a raised and a lowered logit of each expert; few are too near a tie to be compared.
  CHECK(report.rows >= 2 * 3 * 2 * 16 * 9 / 10);
}

TEST_CASE("the self-test passes where a raised logit does not beat the selection biases", "[steering]") {
  const auto name = GENERATE(as<std::string>(), "ernie4_5_moe_tiny", "glm4_moe_tiny");
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const auto& layer = std::get<model::MoeWeights>(engine.model().weights().layers[1].mlp);
  const at::Tensor bias = layer.router.selection_bias;
  REQUIRE((bias.max() - bias.min()).item<double>() > 1);
  const std::int64_t lowest = bias.argmin().item<std::int64_t>();
  const steering::Plan raised{steering::Mode::logit_shift,
                              {{1, lowest, steering::Operation::scale, std::exp(20.0)}}};
  const auto traces = engine.trace(reference.prompts, raised);
  std::int64_t tokens = 0, hits = 0;
  for (const auto& trace : traces) {
    tokens += trace.layers.front().routing.ids.size(0);
    hits += (trace.layers.front().routing.ids == lowest).sum().item<std::int64_t>();
  }
  CHECK(hits < tokens);
  CHECK_NOTHROW(steering::self_test(engine.model()));
}

TEST_CASE("the self-test passes in bfloat16", "[steering]") {
  model::LoadOptions options;
  options.dtype = at::kBFloat16;
  const auto name = GENERATE(as<std::string>(), "olmoe_tiny", "granitemoe_tiny", "phimoe_tiny",
                             "qwen2_moe_tiny", "mixtral_tiny", "ernie4_5_moe_tiny", "glm4_moe_tiny",
                             "deepseek_v2_tiny", "deepseek_v2_grouped", "deepseek_v3_tiny", "deepseek_tiny");
  CHECK_NOTHROW(steering::self_test(model::Model::load(data_dir() / "model" / name, options)));
}

TEST_CASE("the self-test catches a score function that is not what the family says", "[steering]") {
  // A router that scores by softmax of the halved logits, while claiming plain softmax's selection: the shift
  // still selects, so only the recomputation of the weights can see it.
  model::Model wrong = model::Model::load(data_dir() / "model" / "olmoe_tiny");
  wrong.mutable_spec().router.renormalise = true;
  const model::Model right = model::Model::load(data_dir() / "model" / "olmoe_tiny");
  CHECK_NOTHROW(steering::self_test(wrong));  // consistent with its own spec
  CHECK_NOTHROW(steering::self_test(right));
}
