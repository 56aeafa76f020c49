// The figures of docs/models.md: how far the runtime is from transformers, measured on every family's
// fixture.
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
  double weights = 0;  // of the chosen experts, absolute
  bool experts_equal = true;
};

void measure_plan(const ModelReference& reference, const engine::Engine& engine, const std::string& plan_name,
                  ParityFigures& figures) {
  const steering::Plan plan = plan_name.empty() ? steering::Plan{} : reference.plan(plan_name);
  const std::string prefix = plan_name.empty() ? "" : "plan." + plan_name + ".";
  const double sd = reference.fields.at("logits_sd").get<double>();
  const auto logits = engine.logits(reference.prompts, plan);
  const auto traces = engine.trace(reference.prompts, plan);
  for (std::size_t p = 0; p < reference.prompts.size(); ++p) {
    const std::string prompt = fmt::format("{}prompt.{}.", prefix, p);
    figures.logits =
        std::max(figures.logits, largest_difference(logits[p], reference.tensor(prompt + "logits")) / sd);
    for (const model::LayerCapture& seen : traces[p].layers) {
      const std::string layer = fmt::format("{}layer.{}.", prompt, seen.layer);
      const SortedRouting ours = sorted(seen.routing);
      figures.experts_equal =
          figures.experts_equal && at::equal(ours.ids, reference.tensor(layer + "experts"));
      // In proportion where weights are above 1, as under a scaled weight.
      const at::Tensor weights = reference.tensor(layer + "weights");
      figures.weights = std::max(figures.weights, largest_difference(ours.weights, weights) /
                                                      std::max(1.0, weights.max().item<double>()));
    }
  }
}

// Relative to the largest gradient of each prompt.
double gradient_error(const ModelReference& reference, const engine::Engine& engine) {
  std::vector<engine::GradientItem> items;
  for (const auto& prompt : reference.prompts) items.push_back({prompt, 1});
  const auto results = engine.gradients(items);
  double largest = 0;
  for (std::size_t p = 0; p < items.size(); ++p) {
    const at::Tensor expected = reference.tensor(fmt::format("prompt.{}.gradient", p));
    largest = std::max(
        largest, largest_difference(results[p].gradient, expected) / expected.abs().max().item<double>());
  }
  return largest;
}

}  // namespace

TEST_CASE("the figures of docs/models.md lie within the tolerances of every family", "[model][parity]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  CAPTURE(name);
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  ParityFigures plain, steered;
  measure_plan(reference, engine, "", plain);
  std::set<std::string> modes;
  for (const Json& plan : reference.fields.at("plans")) {
    measure_plan(reference, engine, plan.at("name"), steered);
    modes.insert(plan.at("mode"));
  }
  const double gradients = gradient_error(reference, engine);
  const double tolerance = reference.fields.at("tolerance").get<double>();
  CHECK(plain.logits <= tolerance);
  CHECK(steered.logits <= tolerance);
  CHECK((plain.experts_equal && steered.experts_equal));
  CHECK(std::max(plain.weights, steered.weights) < 1e-5);
  CHECK(modes.size() >= 5);
  CHECK(gradients < 1e-3);
  record_figures(name, {{"family", engine.spec().model_type},
                        {"logits", plain.logits},
                        {"steered_logits", steered.logits},
                        {"plans", reference.fields.at("plans").size()},
                        {"modes", modes.size()},
                        {"experts_equal", plain.experts_equal && steered.experts_equal},
                        {"weights", std::max(plain.weights, steered.weights)},
                        {"gradients", gradients}});
}
