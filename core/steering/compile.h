// Compiles plans into the dense tables that the router stage reads, one row a plan and one table a layer.
#pragma once

#include <span>
#include <vector>

#include "core/model/router.h"
#include "core/steering/plan.h"

namespace moelab::steering {

// Row 0 of every table is the original model; plan i of the input is row i + 1.
struct CompiledPlans {
  std::int64_t plans = 0;                    // rows, the original included
  std::vector<model::LayerSteering> layers;  // [layers]; `acts` is undefined where no plan acts
  std::vector<std::int64_t> first_layer;     // [plans] the lowest steered layer; number of layers if none
};

// Throws ConfigError when a plan does not fit the model (see validate).
CompiledPlans compile(std::span<const Plan> plans, const model::ModelSpec& spec, at::Device device);

// What one cell's steering did, from the router stage's counters.
enum class EffectState {
  not_applied,        // fewer steered rows than the plan demands: an error
  applied_no_effect,  // applied, and no selection or weight changed: valid, kept and flagged
  acted,
};

struct LayerEffect {
  std::int64_t layer = 0;
  std::int64_t tokens = 0;        // token rows that passed with the plan applied
  std::int64_t selections = 0;    // tokens * top_k
  double changed = 0;             // selections that the unsteered router would not have made
  double weight_change = 0;       // sum over tokens of the mean absolute weight change
  double steered_selections = 0;  // selections of the plan's experts
  double divergence = 0;          // sum over tokens of KL(steered || unsteered), in nats
};

struct Effect {
  EffectState state = EffectState::applied_no_effect;
  std::vector<LayerEffect> layers;  // the layers that the plan steers
};

std::string_view name_of(EffectState state);

// Reads row `plan` of effects [layers, plans, kEffectColumns] (on the CPU). `tokens` is the number of token
// rows that ran under the plan in each layer.
Effect read_effect(const at::Tensor& effects, const CompiledPlans& compiled, std::int64_t plan,
                   std::int64_t tokens, const model::ModelSpec& spec);

}  // namespace moelab::steering
