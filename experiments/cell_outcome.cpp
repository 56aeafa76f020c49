#include "experiments/cell_outcome.h"

#include <algorithm>

namespace moelab::experiments {
namespace {

store::EffectRow effect_row(store::Id cell, const steering::LayerEffect& effect) {
  store::EffectRow row;
  row.cell = cell;
  row.layer = static_cast<int>(effect.layer);
  row.rows = effect.tokens;
  row.selections = effect.selections;
  row.changed = static_cast<std::int64_t>(effect.changed);
  row.weight_change = effect.tokens > 0 ? effect.weight_change / static_cast<double>(effect.tokens) : 0.0;
  row.steered_selected = static_cast<std::int64_t>(effect.steered_selections);
  // Rounding may leave a divergence of zero a hair below it.
  row.dose = effect.tokens > 0 ? std::max(0.0, effect.divergence / static_cast<double>(effect.tokens)) : 0.0;
  const bool acted = effect.changed > 0 || effect.weight_change > 0;
  row.state = std::string(
      steering::name_of(acted ? steering::EffectState::acted : steering::EffectState::applied_no_effect));
  return row;
}

}  // namespace

void update_outcome(const ScoreSetup& setup, const CellTask& task, const Addition& addition,
                    store::Store& store) {
  const store::CellRow before = store.cell(task.cell);
  store::CellOutcome outcome;
  outcome.n_samples = task.stored;
  outcome.seconds = before.seconds + addition.seconds;
  outcome.tokens = before.tokens + addition.tokens;
  outcome.provenance = addition.provenance.empty() ? before.provenance : addition.provenance;
  outcome.status = task.missing > 0 || task.stored < setup.wanted ? "partial" : "done";
  const auto effects = store.effects(task.cell);
  const bool inert =
      !effects.empty() && std::none_of(effects.begin(), effects.end(),
                                       [](const store::EffectRow& row) { return row.state == "acted"; });
  if (outcome.status == "done" && inert) outcome.status = "inert";
  store.set_outcome(task.cell, outcome);
}

void mark_failed(const ScoreSetup& setup, store::Id id, const std::string& error, store::Store& store) {
  const store::CellRow before = store.cell(id);
  store.set_outcome(id, {"failed", before.n_samples, before.seconds, before.tokens, error, setup.provenance});
}

steering::Effect on_all_layers(steering::Effect effect, const model::ModelSpec& spec) {
  if (effect.layers.empty()) return effect;
  const std::int64_t tokens = effect.layers.front().tokens;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    const bool is_steered = std::any_of(effect.layers.begin(), effect.layers.end(),
                                        [&](const steering::LayerEffect& one) { return one.layer == layer; });
    if (!is_steered && spec.is_moe_layer[static_cast<std::size_t>(layer)])
      effect.layers.push_back({layer, tokens, tokens * spec.router.top_k});
  }
  return effect;
}

void add_effects(store::Id cell, const steering::Effect& effect, store::Store& store) {
  std::vector<store::EffectRow> rows;
  for (const steering::LayerEffect& layer : effect.layers) rows.push_back(effect_row(cell, layer));
  store.add_effects(rows);
}

}  // namespace moelab::experiments
