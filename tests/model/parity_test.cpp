// The runtime against transformers on tiny checkpoints that can see a bug; see tests/reference/model.
#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/measured.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

// Largest differences over all prompts of one plan, or of several.
struct ParityFigures {
  double logits = 0;   // in standard deviations of the reference's logits
  double weights = 0;  // of the chosen experts, absolute; in proportion where they are above 1
  bool experts_equal = true;
};

// Routing of one layer and prompt.
void check_routing(const ModelReference& reference, const std::string& layer, const model::Routing& routing,
                   ParityFigures& figures) {
  INFO(layer);
  const SortedRouting ours = sorted(routing);
  const bool equal = at::equal(ours.ids, reference.tensor(layer + "experts"));
  CHECK(equal);
  const at::Tensor weights = reference.tensor(layer + "weights");
  // Weights above 1 (a router's multiplier, an alpha) are rounded in proportion.
  const double error =
      largest_difference(ours.weights, weights) / std::max(1.0, weights.max().item<double>());
  CHECK(error < 1e-5);
  CHECK(largest_difference(routing.logits, reference.tensor(layer + "router_logits")) < 1e-4);
  figures.experts_equal = figures.experts_equal && equal;
  figures.weights = std::max(figures.weights, error);
}

// Logits, selected experts and weights of every prompt under one plan ("" for the original).
void check_plan(const ModelReference& reference, const engine::Engine& engine, const std::string& plan_name,
                ParityFigures& figures) {
  INFO("plan '" << plan_name << "'");
  const steering::Plan plan = plan_name.empty() ? steering::Plan{} : reference.plan(plan_name);
  const std::string prefix = plan_name.empty() ? "" : "plan." + plan_name + ".";
  const double sd = reference.fields.at("logits_sd").get<double>();
  const auto logits = engine.logits(reference.prompts, plan);
  const auto traces = engine.trace(reference.prompts, plan);
  for (std::size_t p = 0; p < reference.prompts.size(); ++p) {
    const std::string prompt = prefix + "prompt." + std::to_string(p) + ".";
    const double difference = largest_difference(logits[p], reference.tensor(prompt + "logits"));
    CHECK(difference <= reference.tolerance);
    figures.logits = std::max(figures.logits, difference / sd);
    for (const model::LayerCapture& seen : traces[p].layers)
      check_routing(reference, prompt + "layer." + std::to_string(seen.layer) + ".", seen.routing, figures);
  }
}

}  // namespace

TEST_CASE("logits, experts and weights equal transformers' on every family and layout", "[model][parity]") {
  const auto [checkpoint, expected] = GENERATE(from_range(all_layouts()));
  INFO(checkpoint);
  const ModelReference reference(expected);
  const auto engine = load_engine(data_dir() / "model" / checkpoint);
  ParityFigures plain;
  check_plan(reference, engine, "", plain);
  if (checkpoint == expected)
    record_figures(checkpoint, {{"family", engine.spec().model_type},
                                {"logits", plain.logits},
                                {"plain_weights", plain.weights},
                                {"plain_experts_equal", plain.experts_equal}});
}

TEST_CASE("every steering mode equals a reference in which the change reaches the routing",
          "[model][parity]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  INFO(name);
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const Json& plans = reference.fields.at("plans");
  REQUIRE(plans.size() >= 12);
  ParityFigures steered;
  std::set<std::string> modes;
  for (const Json& plan : plans) {
    check_plan(reference, engine, plan.at("name"), steered);
    modes.insert(plan.at("mode"));
  }
  CHECK(modes.size() >= 5);
  record_figures(name, {{"steered_logits", steered.logits},
                        {"steered_weights", steered.weights},
                        {"steered_experts_equal", steered.experts_equal},
                        {"plans", plans.size()},
                        {"modes", modes.size()}});
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
