// The runtime against transformers on tiny checkpoints that can see a bug; see tests/reference/model.
#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

// Logits, selected experts and weights of every prompt under one plan ("" for the original).
void check_plan(const ModelReference& reference, const engine::Engine& engine, const std::string& plan_name) {
  INFO("plan '" << plan_name << "'");
  const steering::Plan plan = plan_name.empty() ? steering::Plan{} : reference.plan(plan_name);
  const std::string prefix = plan_name.empty() ? "" : "plan." + plan_name + ".";
  const auto logits = engine.logits(reference.prompts, plan);
  const auto traces = engine.trace(reference.prompts, plan);
  for (std::size_t p = 0; p < reference.prompts.size(); ++p) {
    const std::string prompt = prefix + "prompt." + std::to_string(p) + ".";
    CHECK(largest_difference(logits[p], reference.tensor(prompt + "logits")) <= reference.tolerance);
    for (const model::LayerCapture& seen : traces[p].layers) {
      const std::string layer = prompt + "layer." + std::to_string(seen.layer) + ".";
      INFO(layer);
      const SortedRouting ours = sorted(seen.routing);
      CHECK(at::equal(ours.ids, reference.tensor(layer + "experts")));
      const at::Tensor weights = reference.tensor(layer + "weights");
      // Weights above 1 (a router's multiplier, an alpha) are rounded in proportion.
      CHECK(largest_difference(ours.weights, weights) < 1e-5 * std::max(1.0, weights.max().item<double>()));
      CHECK(largest_difference(seen.routing.logits, reference.tensor(layer + "router_logits")) < 1e-4);
    }
  }
}

}  // namespace

TEST_CASE("logits, experts and weights equal transformers' on every family and layout", "[model]") {
  const auto [checkpoint, expected] = GENERATE(from_range(all_layouts()));
  INFO(checkpoint);
  const ModelReference reference(expected);
  check_plan(reference, load_engine(data_dir() / "model" / checkpoint), "");
}

TEST_CASE("every steering mode equals a reference in which the change reaches the routing", "[model]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  INFO(name);
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  REQUIRE(reference.fields.at("plans").size() >= 12);
  for (const Json& plan : reference.fields.at("plans")) check_plan(reference, engine, plan.at("name"));
}

TEST_CASE("a prompt's logits do not depend on the other prompts of its batch beyond rounding", "[model]") {
  const ModelReference reference("qwen3_moe_tiny");
  engine::EngineOptions alone;
  alone.batch_tokens = 1;  // one sequence a batch
  const auto together = load_engine(reference.checkpoint).logits(reference.prompts);
  const auto apart = load_engine(reference.checkpoint, alone).logits(reference.prompts);
  for (std::size_t p = 0; p < together.size(); ++p)
    CHECK(largest_difference(together[p], apart[p]) < reference.tolerance);
}
