#include "core/train/tune_targets.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace moelab::train {
namespace {

constexpr std::string_view kLayers = "model.layers.";
constexpr std::string_view kWeight = ".weight";

model::LayerNames names_of(const model::ModelSpec& spec, std::int64_t layer) {
  const Json config = {{"model_type", spec.model_type}};
  return model::family_of(config, "the model to train").layer_names(layer);
}

bool is_moe(const model::ModelSpec& spec, std::int64_t layer) {
  return spec.is_moe_layer.at(static_cast<std::size_t>(layer));
}

std::string without_weight(const std::string& name) {
  return name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size()) : name;
}

// Keeps the names that the targets fit, and remembers which targets fitted.
class Picker {
 public:
  Picker(const TuneOptions& options, std::vector<std::string> usual)
      : targets_(options.targets), is_usual_(options.targets.empty()) {
    if (is_usual_) targets_ = std::move(usual);
    fitted_.assign(targets_.size(), false);
  }

  bool picks(const std::string& name) {
    bool picked = false;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (!fits_pattern(targets_[i], name)) continue;
      fitted_[i] = picked = true;
    }
    return picked;
  }

  // A family may lack one of the usual parts, but not all of them.
  void require_fitted(const char* what) const {
    const auto missing = std::find(fitted_.begin(), fitted_.end(), false);
    const bool none = std::find(fitted_.begin(), fitted_.end(), true) == fitted_.end();
    if (is_usual_ ? !none : missing == fitted_.end()) return;
    throw ConfigError(
        "targets: '{}' fits no {} of the model that may be trained (a router needs router=true)",
        targets_[static_cast<std::size_t>(missing - fitted_.begin())], what);
  }

 private:
  std::vector<std::string> targets_;
  bool is_usual_;
  std::vector<bool> fitted_;
};

LoraSite projection_site(const std::string& name, const at::Tensor& weight) {
  LoraSite site;
  site.name = without_weight(name);
  site.shape = weight.sizes().vec();
  site.tensors = {{name}};
  return site;
}

LoraSite fused_site(const model::ModelSpec& spec, const FusedParameter& fused) {
  LoraSite site;
  site.name = fused.name;
  site.experts = spec.router.experts;
  site.tensors = fused.tensors;
  site.shape = fused.shape;
  site.is_transposed = fused.is_transposed;
  return site;
}

}  // namespace

std::int64_t layer_of(const std::string& name) {
  if (!name.starts_with(kLayers)) return -1;
  std::int64_t layer = -1;
  std::from_chars(name.data() + kLayers.size(), name.data() + name.size(), layer);
  return layer;
}

bool is_router(const model::ModelSpec& spec, const std::string& name) {
  const std::int64_t layer = layer_of(name);
  if (layer < 0 || layer >= spec.layers || !is_moe(spec, layer)) return false;
  const std::string router = names_of(spec, layer).router;
  return name == router + ".weight" || name == router + ".bias";
}

std::vector<FusedParameter> fused_parameters(const model::ModelSpec& spec, std::int64_t layer) {
  if (!is_moe(spec, layer) || spec.packed_experts) return {};
  const model::LayerNames names = names_of(spec, layer);
  const std::int64_t experts = spec.router.experts, width = spec.expert_width, hidden = spec.hidden;
  if (spec.clamped_swiglu)
    return {{names.fused_gate_up, {{names.fused_gate_up}}, {experts, hidden, 2 * width}, true},
            {names.fused_down, {{names.fused_down}}, {experts, width, hidden}, true}};
  std::vector<std::string> gate, up, down;
  for (std::int64_t e = 0; e < experts; ++e) {
    const std::string prefix = fmt::format("{}.{}.", names.experts, e);
    gate.push_back(prefix + names.expert_gate + ".weight");
    up.push_back(prefix + names.expert_up + ".weight");
    down.push_back(prefix + names.expert_down + ".weight");
  }
  return {{names.fused_gate_up, {gate, up}, {experts, 2 * width, hidden}},
          {names.fused_down, {down}, {experts, hidden, width}}};
}

std::vector<LoraSite> choose_sites(const model::ModelSpec& spec, const NamedTensors& weights,
                                   const TuneOptions& options) {
  Picker picker(options,
                {"self_attn.*proj*", "linear_attn.*proj*", "experts.*", "block_sparse_moe.*_linear.weight"});
  std::vector<LoraSite> sites;
  NamedTensors single = weights;  // what no fused parameter stands for
  for (std::int64_t layer = 0; layer < spec.layers; ++layer)
    for (const FusedParameter& fused : fused_parameters(spec, layer)) {
      const bool is_whole = fused.tensors[0].size() == 1 && spec.router.experts > 1;
      if (options.lora.layout == AdapterLayout::modules && !is_whole) continue;
      if (picker.picks(fused.name)) sites.push_back(fused_site(spec, fused));
      for (const auto& part : fused.tensors)
        for (const std::string& name : part) single.erase(name);
    }
  for (const auto& [name, weight] : single) {
    if (weight.dim() != 2 || !name.ends_with(kWeight) || name == "model.embed_tokens.weight") continue;
    if (is_router(spec, name) && !options.router) continue;
    if (picker.picks(without_weight(name))) sites.push_back(projection_site(name, weight));
  }
  picker.require_fitted("projection");
  for (LoraSite& site : sites) {
    site.rank = options.lora.rank;
    site.alpha = options.lora.alpha;
  }
  return sites;
}

std::vector<std::string> choose_weights(const model::ModelSpec& spec, const NamedTensors& weights,
                                        const TuneOptions& options) {
  Picker picker(options, {"*"});
  std::vector<std::string> chosen;
  for (const auto& [name, weight] : weights) {
    // A correction bias acts on the choice alone, which has no gradient.
    if (!at::isFloatingType(weight.scalar_type()) || name.ends_with("e_score_correction_bias")) continue;
    if (is_router(spec, name) && !options.router) continue;
    if (picker.picks(without_weight(name))) chosen.push_back(name);
  }
  picker.require_fitted("weight");
  return chosen;
}

}  // namespace moelab::train
