// Mixtral (Mixtral-8x7B, 8x22B): Llama's attention with an optional sliding window, softmax router with the
// chosen always renormalised, experts named w1 (gate), w3 (up) and w2 (down).
#include "core/model/rope_fields.h"
#include "core/model/spec.h"

namespace moelab::model {
namespace {

ModelSpec parse_mixtral(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  if (!names_rope_field(config, "rope_theta"))
    spec.attention.rope_theta = 1e6;  // the class default, which is not Llama's
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  const auto window = json_get_or<std::int64_t>(config, "sliding_window", spec.max_positions, where);
  if (window <= 0)
    throw FileError("{}: the field 'sliding_window' is {}, but must be positive", where, window);
  if (window < spec.max_positions) spec.attention.window = window;
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(config, "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = true;
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

LayerNames mixtral_layer_names(std::int64_t layer) {
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

Family family_mixtral() { return {"mixtral", &parse_mixtral, &mixtral_layer_names}; }

}  // namespace moelab::model
