#include "core/train/tuned_model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>

#include <algorithm>

#include "core/model/safetensors.h"
#include "core/train/save_tuned.h"
#include "core/train/tune_targets.h"
#include "tests/support/catch.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

// One model of every family, and a checkpoint with fused experts.
std::vector<std::filesystem::path> all_models() {
  std::vector<std::filesystem::path> models;
  for (const auto& entry : std::filesystem::directory_iterator(testing::data_dir() / "model"))
    if (std::filesystem::exists(entry.path() / "config.json")) models.push_back(entry.path());
  std::sort(models.begin(), models.end());
  return models;
}

Batch small_batch() {
  return testing::pack_all({make_example("a", {3, 8, 13}, {2, 5}), make_example("b", {7, 1}, {9})});
}

double squared_gradient(const TunedModel& tuned) {
  double sum = 0;
  for (const FlatGroup& group : tuned.leaves().groups) sum += group.gradient.square().sum().item<double>();
  return sum;
}

}  // namespace

TEST_CASE("a new adapter leaves the model of every family as it is, to the bit", "[train]") {
  const auto models = all_models();
  REQUIRE(models.size() >= 15);
  const std::vector<std::int64_t> tokens = {3, 8, 13, 2};
  for (const auto& path : models)
    for (const AdapterLayout layout : {AdapterLayout::modules, AdapterLayout::parameters}) {
      CAPTURE(path);
      TuneOptions options;
      options.lora.rank = 2;
      options.lora.layout = layout;
      const TunedModel tuned = TunedModel::load(path, options);
      CHECK(tuned.trained() > 0);
      const at::Tensor plain = testing::logits_of(model::Model::load(path), tokens);
      CHECK(testing::logits_of(tuned.merged(), tokens).equal(plain));
    }
}

// Along its gradient g a loss grows at the rate |g|^2: the derivative by differences needs no second
// autograd.
TEST_CASE("the gradient of every family's weights is the loss's derivative", "[train]") {
  const at::NoGradGuard no_grad;
  for (const auto& path : all_models()) {
    if (model::read_spec(path).packed_experts) continue;
    CAPTURE(path);
    TuneOptions options;
    options.kind = "full";
    TunedModel tuned = TunedModel::load(path, options);
    const Batch batch = small_batch();
    add_gradient(tuned, batch, 1.0, false);
    const double expected = squared_gradient(tuned);
    REQUIRE(expected > 0);
    const double step = 2e-4 / std::sqrt(expected);
    double loss[2];
    for (const int side : {0, 1}) {
      for (FlatGroup& group : tuned.leaves().groups)
        group.weight.add_(group.gradient, side == 0 ? -step : 2 * step);
      loss[side] = loss_sum(tuned, {&batch, 1});
    }
    CHECK((loss[1] - loss[0]) / (2 * step) == Catch::Approx(expected).epsilon(0.03));
  }
}

// A gradient of zero for some weights would go unnoticed along the gradient itself. Experts may go
// unselected.
TEST_CASE("every family's weights outside of single experts have a gradient", "[train]") {
  for (const auto& path : all_models()) {
    if (model::read_spec(path).packed_experts) continue;
    TuneOptions options;
    options.kind = "full";
    TunedModel tuned = TunedModel::load(path, options);
    add_gradient(tuned, small_batch(), 1.0, false);
    for (const auto& [name, leaf] : tuned.leaves().named) {
      CAPTURE(path, name);
      if (name.find(".experts.") == std::string::npos) CHECK(leaf.grad().abs().max().item<double>() > 0);
    }
  }
}

TEST_CASE("a tensor that the model does not use is refused by name", "[train]") {
  const testing::ScratchDir scratch;
  std::filesystem::copy_file(testing::tiny_model() / "config.json", scratch / "config.json");
  const model::Checkpoint checkpoint(testing::tiny_model());
  std::vector<std::pair<std::string, at::Tensor>> tensors = {
      {"model.layers.99.mlp.gate.weight", at::ones({2, 2})}};
  for (const std::string& name : checkpoint.names()) tensors.emplace_back(name, checkpoint.tensor(name));
  model::write_safetensors(scratch / "model.safetensors", tensors);
  REQUIRE_THROWS_WITH(
      TunedModel::load(scratch.path(), TuneOptions{}),
      Catch::Matchers::ContainsSubstring("'model.layers.99.mlp.gate.weight' does not belong"));
}

TEST_CASE("a tuned model that is written gives the same logits, whatever its layout", "[train]") {
  for (const auto& path : all_models()) {
    CAPTURE(path);
    if (model::read_spec(path).packed_experts) continue;
    const testing::ScratchDir scratch;
    TuneOptions options;
    options.kind = "full";
    TunedModel tuned = TunedModel::load(path, options);
    // A power of two, so that the file's type rounds nothing.
    for (FlatGroup& group : tuned.leaves().groups) group.weight.mul_(2);
    save_tuned_model(scratch / "tuned", tuned, path);
    const at::Tensor written = testing::logits_of(model::Model::load(scratch / "tuned"), {3, 8, 13});
    CHECK(written.equal(testing::logits_of(tuned.merged(), {3, 8, 13})));
    CHECK_FALSE(written.equal(testing::logits_of(model::Model::load(path), {3, 8, 13})));
  }
}

TEST_CASE("a fused tensor of which training changes a part is written with that part", "[train]") {
  std::size_t fused = 0;
  for (const auto& path : all_models()) {
    CAPTURE(path);
    const model::ModelSpec spec = model::read_spec(path);
    if (spec.packed_experts || spec.clamped_swiglu) continue;
    const auto stored = model::Checkpoint(path).names();
    const std::string parameter = fused_parameters(spec, spec.layers - 1).at(0).name;
    if (std::find(stored.begin(), stored.end(), parameter) == stored.end()) continue;
    ++fused;
    const testing::ScratchDir scratch;
    TuneOptions options;
    options.kind = "full";
    options.targets = {"experts.0.*", "experts.1.*", "experts.2.*", "experts.3.*"};
    TunedModel tuned = TunedModel::load(path, options);
    for (FlatGroup& group : tuned.leaves().groups) group.weight.mul_(2);
    save_tuned_model(scratch / "tuned", tuned, path);
    const at::Tensor written = testing::logits_of(model::Model::load(scratch / "tuned"), {3, 8, 13});
    CHECK(written.equal(testing::logits_of(tuned.merged(), {3, 8, 13})));
    CHECK_FALSE(written.equal(testing::logits_of(model::Model::load(path), {3, 8, 13})));
  }
  CHECK(fused > 1);
}

TEST_CASE("the loss of many batches is the sum of each one's", "[train]") {
  const TunedModel tuned = testing::with_adapter(testing::tiny_model(), 2, AdapterLayout::modules);
  const Batch batch = small_batch();
  const std::vector<Batch> three(3, batch);
  CHECK(loss_sum(tuned, three) == Catch::Approx(3 * loss_sum(tuned, {&batch, 1})).epsilon(1e-9));
}

TEST_CASE("recomputing layers gives the same gradient", "[train]") {
  for (const char* kind : {"lora", "full"}) {
    TuneOptions options;
    options.kind = kind;
    std::vector<at::Tensor> gradients[2];
    double loss[2];
    for (const bool recompute : {false, true}) {
      TunedModel tuned = TunedModel::load(testing::tiny_model(), options);
      if (!tuned.sites().empty()) testing::fill_adapter(tuned);
      loss[recompute] = add_gradient(tuned, small_batch(), 3.0, recompute);
      for (const FlatGroup& group : tuned.leaves().groups)
        gradients[recompute].push_back(group.gradient.clone());
    }
    CHECK(loss[0] == loss[1]);
    for (std::size_t g = 0; g < gradients[0].size(); ++g)
      if (gradients[0][g].numel() > 0)
        CHECK((gradients[0][g] - gradients[1][g]).abs().max().item<double>() < 1e-6);
  }
}

TEST_CASE("only what a target names is trained", "[train]") {
  TuneOptions options;
  options.targets = {"layers.1.*.up_proj", "layers.0.self_attn.q_proj"};
  TunedModel tuned = TunedModel::load(testing::tiny_model(), options);
  REQUIRE(tuned.sites().size() == 9);  // eight experts and a projection
  testing::fill_adapter(tuned);
  const model::Model plain = model::Model::load(testing::tiny_model()), merged = tuned.merged();
  for (std::size_t l = 0; l < 2; ++l) {
    const auto &before = plain.weights().layers[l], &after = merged.weights().layers[l];
    CHECK(before.attention.query.weight.equal(after.attention.query.weight) == (l == 1));
    CHECK(before.attention.key.weight.equal(after.attention.key.weight));
    const auto &moe = std::get<model::MoeWeights>(before.mlp),
               &tuned_moe = std::get<model::MoeWeights>(after.mlp);
    CHECK(moe.router.weight.equal(tuned_moe.router.weight));
    for (std::size_t e = 0; e < moe.experts.size(); ++e) {
      CHECK(moe.experts[e].up.equal(tuned_moe.experts[e].up) == (l == 0));
      CHECK(moe.experts[e].gate.equal(tuned_moe.experts[e].gate));
      CHECK(moe.experts[e].down.equal(tuned_moe.experts[e].down));
    }
  }
  CHECK(plain.weights().embedding.equal(merged.weights().embedding));
}

TEST_CASE("a target that fits nothing is named, and routers need a word of their own", "[train]") {
  const auto load = [](std::vector<std::string> targets, bool router) {
    TuneOptions options;
    options.targets = std::move(targets);
    options.router = router;
    return TunedModel::load(testing::tiny_model(), options);
  };
  REQUIRE_THROWS_WITH(load({"q_proj", "up_porj"}, false),
                      Catch::Matchers::ContainsSubstring("'up_porj' fits no projection"));
  REQUIRE_THROWS_WITH(load({"mlp.gate"}, false),
                      Catch::Matchers::ContainsSubstring("a router needs router=true"));
  CHECK(load({"mlp.gate"}, true).sites().size() == 2);
}

TEST_CASE("the number of trained weights is what the shapes say", "[train]") {
  // Rank 16 on four layers: four projections of 128 x 128 and, of each of 16 experts, three of 64 x 128.
  const std::int64_t attention = 4 * 16 * (128 + 128), experts = 16 * 3 * 16 * (64 + 128);
  const TunedModel tuned = TunedModel::load(testing::source_dir() / "models/demo/specialised", TuneOptions{});
  CHECK(tuned.trained() == 4 * (attention + experts));
}

TEST_CASE("patterns fit from a dot on", "[train]") {
  CHECK(fits_pattern("q_proj", "model.layers.0.self_attn.q_proj"));
  CHECK(fits_pattern("experts.*.up_proj", "model.layers.0.mlp.experts.11.up_proj"));
  CHECK_FALSE(fits_pattern("proj", "model.layers.0.self_attn.q_proj"));
  CHECK_FALSE(fits_pattern("experts.*", "model.layers.0.mlp.shared_experts.up_proj"));
}
