// Phi-MoE (Phi-3.5-MoE, Phi-mini-MoE, Phi-tiny-MoE): LayerNorm with bias, biases on attention and head,
// longrope, a sliding window, and the sparsemixer, whose two weights are not renormalised.
#include "core/model/spec.h"

namespace moelab::model {
namespace {

ModelSpec parse_phimoe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where, {"default", "longrope"});
  spec.norm = NormKind::layer;
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.has_head_bias = json_get_or<bool>(config, "lm_head_bias", false, where);
  const auto window = json_get_or<std::int64_t>(config, "sliding_window", spec.max_positions, where);
  if (window <= 0)
    throw FileError("{}: the field 'sliding_window' is {}, but must be positive", where, window);
  if (window < spec.max_positions) spec.attention.window = window;
  spec.router.score = &logit_score;
  spec.router.sparsemixer_eps = json_get_or<double>(config, "router_jitter_noise", 0.01, where);
  spec.router.experts = json_get_or<std::int64_t>(config, "num_local_experts", 16, where);
  spec.router.top_k = json_get_or<std::int64_t>(config, "num_experts_per_tok", 2, where);
  if (spec.router.top_k != 2)
    throw FileError("{}: num_experts_per_tok is {}, the sparsemixer chooses 2", where, spec.router.top_k);
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

LayerNames phimoe_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  const std::string block = fmt::format("model.layers.{}.block_sparse_moe.", layer);
  names.router = block + "gate";
  names.experts = block + "experts";
  names.fused_gate_up = block + "experts.gate_up_proj";
  names.fused_down = block + "experts.down_proj";
  names.expert_gate = "w1";
  names.expert_up = "w3";
  names.expert_down = "w2";
  return names;
}

}  // namespace

Family family_phimoe() { return {"phimoe", &parse_phimoe, &phimoe_layer_names}; }

}  // namespace moelab::model
