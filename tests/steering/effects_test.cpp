#include "core/steering/compile.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

// Scores every reference prompt under one plan, with one single-token option, so that each prompt token runs
// once.
steering::Effect effect_of(const engine::Engine& engine, const ModelReference& reference,
                           const steering::Plan& plan) {
  std::vector<engine::ScoreItem> items;
  for (const auto& prompt : reference.prompts) items.push_back({prompt, {{1}}});
  return engine.score(items, {&plan, 1}).effects.at(1);
}

}  // namespace

TEST_CASE("effect counters equal those counted in the reference's routing", "[steering]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  for (const Json& fields : reference.fields.at("plans")) {
    INFO(name << " " << fields.at("name"));
    const steering::Effect effect = effect_of(engine, reference, ModelReference::read_plan(fields));
    CHECK(effect.state == steering::EffectState::acted);
    for (const Json& expected : fields.at("effects")) {
      const auto found = std::find_if(effect.layers.begin(), effect.layers.end(), [&](const auto& layer) {
        return layer.layer == expected.at("layer").get<std::int64_t>();
      });
      const auto& experts = expected.at("selected_rows");
      if (experts.empty()) {
        CHECK(found == effect.layers.end());  // the plan leaves this layer alone
        continue;
      }
      REQUIRE(found != effect.layers.end());
      CHECK(found->tokens == expected.at("rows").get<std::int64_t>());
      CHECK(found->changed == expected.at("changed_slots").get<double>());
      std::int64_t hits = 0;
      for (const auto& [expert, rows] : experts.items()) hits += rows.get<std::int64_t>();
      CHECK(static_cast<std::int64_t>(found->steered_selections) == hits);
      // The reference sums the absolute changes over all experts; ours is the mean over the top_k selected.
      const double expected_change = expected.at("mean_abs_weight_change").get<double>() *
                                     static_cast<double>(found->tokens) /
                                     static_cast<double>(engine.spec().router.top_k);
      CHECK(found->weight_change == Catch::Approx(expected_change).epsilon(1e-4));
    }
  }
}

TEST_CASE("the dose is the divergence that numpy finds between steered and unsteered routing", "[steering]") {
  const Json doses = read_json(data_dir() / "steering" / "dose.json").at("doses");
  REQUIRE(doses.size() == 5);
  for (const auto& [name, by_plan] : doses.items()) {
    const ModelReference reference(name);
    const auto engine = load_engine(reference.checkpoint);
    REQUIRE(by_plan.size() == reference.fields.at("plans").size());
    for (const auto& [plan, by_layer] : by_plan.items()) {
      INFO(name << " " << plan);
      const steering::Effect effect = effect_of(engine, reference, reference.plan(plan));
      REQUIRE(effect.layers.size() == by_layer.size());
      for (const steering::LayerEffect& layer : effect.layers)
        CHECK(layer.divergence / static_cast<double>(layer.tokens) ==
              Catch::Approx(by_layer.at(std::to_string(layer.layer)).get<double>()).epsilon(1e-4));
    }
  }
}

TEST_CASE("a plan of alpha 1 is applied without effect, and changes no bit", "[steering]") {
  const ModelReference reference(GENERATE(as<std::string>(), "qwen3_moe_tiny", "phimoe_tiny"));
  const auto engine = load_engine(reference.checkpoint);
  const auto mode = GENERATE(steering::Mode::logit_shift, steering::Mode::logit_shift_selection_only,
                             steering::Mode::prob_scale_renorm, steering::Mode::weight_scale_renorm,
                             steering::Mode::weight_scale);
  const steering::ExpertId experts[] = {{0, 1}, {engine.spec().layers - 1, 5}};
  const steering::Plan plan = steering::scale_plan(experts, 1.0, mode);
  const steering::Effect effect = effect_of(engine, reference, plan);
  CHECK(effect.state == steering::EffectState::applied_no_effect);
  for (const steering::LayerEffect& layer : effect.layers)
    CHECK(layer.divergence == Catch::Approx(0).margin(1e-9));
  CHECK(at::equal(engine.logits(reference.prompts, plan)[3], engine.logits(reference.prompts)[3]));
}

TEST_CASE("fewer steered rows than the plan demands read as not applied", "[steering]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const steering::ExpertId experts[] = {{0, 1}};
  const steering::Plan plan = steering::scale_plan(experts, 3.0, steering::Mode::logit_shift);
  const auto compiled = steering::compile({&plan, 1}, engine.spec(), at::kCPU);
  at::Tensor effects = at::zeros({3, 2, model::kEffectColumns}, at::kDouble);
  effects[0][1][model::kEffectTokens] = 9;
  effects[0][1][model::kEffectChanged] = 2;
  CHECK(steering::read_effect(effects, compiled, 1, 10, engine.spec()).state ==
        steering::EffectState::not_applied);
  CHECK(steering::read_effect(effects, compiled, 1, 9, engine.spec()).state == steering::EffectState::acted);
}
