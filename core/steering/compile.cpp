#include "core/steering/compile.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moelab::steering {
namespace {

using model::LayerSteering;

constexpr std::array<std::string_view, 3> kStates = {"not_applied", "applied_no_effect", "acted"};

// The tables of one layer while they are filled; each is made when a plan first needs it.
class LayerTables {
 public:
  LayerTables(std::int64_t plans, std::int64_t experts) : plans_(plans), experts_(experts) {}

  void add(std::int64_t plan, const PlanEntry& entry, Mode mode) {
    set(tables_.is_steered, false, plan, entry.expert, true);
    if (!tables_.acts.defined()) tables_.acts = at::zeros({plans_}, at::kBool);
    tables_.acts.mutable_data_ptr<bool>()[plan] = true;
    if (entry.operation == Operation::force) return set(tables_.force, false, plan, entry.expert, true);
    if (entry.operation == Operation::forbid) return set(tables_.forbid, false, plan, entry.expert, true);
    scale(plan, entry, mode);
  }

  LayerSteering finish(at::Device device) {
    // One branch of the router stage is enough when selection and weights read the same logits.
    if (!has_selection_only_) tables_.weight_shift = tables_.select_shift;
    LayerSteering moved;
    move(moved.select_shift, tables_.select_shift, device);
    if (has_selection_only_)
      move(moved.weight_shift, tables_.weight_shift, device);
    else
      moved.weight_shift = moved.select_shift;
    move(moved.score_scale, tables_.score_scale, device);
    move(moved.weight_scale, tables_.weight_scale, device);
    move(moved.keep_mass, tables_.keep_mass, device);
    move(moved.force, tables_.force, device);
    move(moved.forbid, tables_.forbid, device);
    move(moved.is_steered, tables_.is_steered, device);
    move(moved.acts, tables_.acts, device);
    return moved;
  }

 private:
  static void move(at::Tensor& target, const at::Tensor& source, at::Device device) {
    if (source.defined()) target = source.to(device);
  }

  template <typename T>
  void set(at::Tensor& table, T neutral, std::int64_t plan, std::int64_t expert, T value) {
    if (!table.defined())
      table = at::full({plans_, experts_}, neutral, std::is_same_v<T, bool> ? at::kBool : at::kFloat);
    table.template mutable_data_ptr<T>()[plan * experts_ + expert] = value;
  }

  void scale(std::int64_t plan, const PlanEntry& entry, Mode mode) {
    const float alpha = static_cast<float>(entry.value);
    const float shift = static_cast<float>(std::log(entry.value));
    switch (mode) {
      case Mode::logit_shift:
        set(tables_.select_shift, 0.0f, plan, entry.expert, shift);
        set(tables_.weight_shift, 0.0f, plan, entry.expert, shift);
        break;
      case Mode::logit_shift_selection_only:
        has_selection_only_ = true;
        set(tables_.select_shift, 0.0f, plan, entry.expert, shift);
        set(tables_.weight_shift, 0.0f, plan, entry.expert, 0.0f);
        break;
      case Mode::prob_scale_renorm:
        set(tables_.score_scale, 1.0f, plan, entry.expert, alpha);
        break;
      case Mode::weight_scale_renorm:
      case Mode::weight_scale:
        set(tables_.weight_scale, 1.0f, plan, entry.expert, alpha);
        if (!tables_.keep_mass.defined()) tables_.keep_mass = at::zeros({plans_}, at::kBool);
        tables_.keep_mass.mutable_data_ptr<bool>()[plan] = mode == Mode::weight_scale_renorm;
        break;
    }
  }

  std::int64_t plans_;
  std::int64_t experts_;
  bool has_selection_only_ = false;
  LayerSteering tables_;
};

}  // namespace

CompiledPlans compile(std::span<const Plan> plans, const model::ModelSpec& spec, at::Device device) {
  CompiledPlans compiled;
  compiled.plans = static_cast<std::int64_t>(plans.size()) + 1;
  compiled.first_layer.assign(static_cast<std::size_t>(compiled.plans), spec.layers);
  std::vector<LayerTables> tables(static_cast<std::size_t>(spec.layers),
                                  LayerTables(compiled.plans, spec.router.experts));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    validate(plans[i], spec);
    for (const PlanEntry& entry : plans[i].entries) {
      tables[static_cast<std::size_t>(entry.layer)].add(static_cast<std::int64_t>(i) + 1, entry,
                                                        plans[i].mode);
      compiled.first_layer[i + 1] = std::min(compiled.first_layer[i + 1], entry.layer);
    }
  }
  for (LayerTables& layer : tables) compiled.layers.push_back(layer.finish(device));
  return compiled;
}

std::string_view name_of(EffectState state) { return kStates[static_cast<std::size_t>(state)]; }

Effect read_effect(const at::Tensor& effects, const CompiledPlans& compiled, std::int64_t plan,
                   std::int64_t tokens, const model::ModelSpec& spec) {
  Effect effect;
  const auto sums = effects.accessor<double, 3>();
  bool applied = true;
  bool acted = false;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    const LayerSteering& tables = compiled.layers[static_cast<std::size_t>(layer)];
    if (!tables.acts.defined() || !tables.acts[plan].item<bool>()) continue;
    const auto row = sums[layer][plan];
    LayerEffect seen;
    seen.layer = layer;
    seen.tokens = static_cast<std::int64_t>(row[model::kEffectTokens]);
    seen.selections = seen.tokens * spec.router.top_k;
    seen.changed = row[model::kEffectChanged];
    seen.weight_change = row[model::kEffectWeight];
    seen.steered_selections = row[model::kEffectSteeredHits];
    seen.divergence = row[model::kEffectDivergence];
    applied = applied && seen.tokens == tokens;
    acted = acted || seen.changed > 0 || seen.weight_change > 0;
    effect.layers.push_back(seen);
  }
  if (!applied)
    effect.state = EffectState::not_applied;
  else
    effect.state = acted ? EffectState::acted : EffectState::applied_no_effect;
  return effect;
}

}  // namespace moelab::steering
