// Experts that no token of a batch selects: they have no gradient, and training leaves them as they are.
#include <ATen/ops/cat.h>

#include <cmath>
#include <map>
#include <set>

#include "core/engine/engine.h"
#include "core/train/trainer.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

const engine::Tokens kTokens = {5, 6, 7};  // with two of eight experts a token, some of a layer are left over

// "layer:expert" of those that some token selects.
std::set<std::string> selected_experts() {
  const std::vector<engine::Tokens> sequences = {kTokens};
  const auto traces = testing::load_engine(testing::tiny_model()).trace(sequences);
  std::set<std::string> selected;
  for (const model::LayerCapture& seen : traces[0].layers)
    for (std::int64_t i = 0; i < seen.routing.ids.numel(); ++i)
      selected.insert(fmt::format("{}:{}", seen.layer, seen.routing.ids.flatten()[i].item<std::int64_t>()));
  return selected;
}

// Each expert's three matrices in one, by "layer:expert".
std::map<std::string, at::Tensor> expert_weights(const model::Model& model) {
  std::map<std::string, at::Tensor> weights;
  for (std::int64_t layer = 0; layer < model.spec().layers; ++layer) {
    const auto& moe =
        std::get<model::MoeWeights>(model.weights().layers[static_cast<std::size_t>(layer)].mlp);
    for (std::size_t e = 0; e < moe.experts.size(); ++e) {
      const model::MlpWeights& expert = moe.experts[e];
      weights[fmt::format("{}:{}", layer, e)] =
          at::cat(
              {expert.gate.detach().flatten(), expert.up.detach().flatten(), expert.down.detach().flatten()})
              .clone();
    }
  }
  return weights;
}

void check_only_selected_moved(const std::map<std::string, at::Tensor>& before, const model::Model& model) {
  const std::set<std::string> selected = selected_experts();
  REQUIRE(selected.size() < before.size());
  int moved = 0;
  for (const auto& [name, now] : expert_weights(model)) {
    CAPTURE(name);
    CHECK(now.isfinite().all().item<bool>());
    moved += !now.equal(before.at(name));
    if (!selected.contains(name)) CHECK(now.equal(before.at(name)));
  }
  CHECK(moved > 0);
}

}  // namespace

TEST_CASE("training leaves an expert that no token selects as it is, to the bit", "[train]") {
  StepOptions options;
  options.optimizer.weight_decay = 0;
  options.optimizer.warmup = 0;
  const double alike = GENERATE(0.0, 0.5);  // the loss on alike experts compares selected ones only
  options.loss.similarity.coefficient = alike;
  options.loss.similarity.threshold = 0;
  Trainer trainer(Parameters::load(testing::tiny_model()), options, {"a"});
  const auto before = expert_weights(trainer.model());
  Document document;
  document.tokens = kTokens;
  document.weight = {1, 1, 1};
  document.content = {0, 0, 0};
  const std::vector<Row> rows = {{&document}};
  const StepReport report = trainer.step(pack(rows));
  CHECK(std::isfinite(report.gradient_norm));
  check_only_selected_moved(before, trainer.model());
}

TEST_CASE("fine-tuning leaves an expert that no token selects as it is, to the bit", "[train]") {
  TuneOptions full;
  full.kind = "full";
  const bool is_full = GENERATE(true, false);
  TunedModel tuned = is_full ? TunedModel::load(testing::tiny_model(), full)
                             : testing::with_adapter(testing::tiny_model(), 4, AdapterLayout::modules);
  if (!is_full)  // an adapter that changes nothing yet
    for (const LoraSite& site : tuned.sites()) site.b.detach().zero_();
  SftOptions options;
  options.optimizer.weight_decay = 0;
  options.optimizer.warmup = 0;
  AdamW optimizer(tuned.leaves().groups, options.optimizer);
  const auto before = expert_weights(tuned.merged());
  const std::vector<SftExample> examples = {
      make_example("one", {kTokens.begin(), kTokens.begin() + 1}, {kTokens.begin() + 1, kTokens.end()})};
  const std::vector<Batch> passes = {testing::pack_all(examples)};
  const SftStep done = sft_step(tuned, optimizer, passes, 0, options);
  CHECK(std::isfinite(done.gradient_norm));
  check_only_selected_moved(before, tuned.merged());
}
