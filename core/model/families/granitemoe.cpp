// Granite MoE (Granite-3.x 1B-A400M and 3B-A800M): multipliers on embeddings, residual branches, attention
// scores and logits; softmax over the top-k logits, which is softmax over all with the chosen renormalised;
// the experts of a layer in one tensor, gate rows first; tied embeddings.
#include "core/model/spec.h"

namespace moelab::model {
namespace {

ModelSpec parse_granitemoe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.attention.scale = json_get_or<double>(config, "attention_multiplier", 1.0, where);
  spec.embedding_multiplier = json_get_or<double>(config, "embedding_multiplier", 1.0, where);
  spec.residual_multiplier = json_get_or<double>(config, "residual_multiplier", 1.0, where);
  spec.logits_divisor = json_get_or<double>(config, "logits_scaling", 1.0, where);
  if (spec.logits_divisor == 0.0) throw FileError("{}: the field 'logits_scaling' must not be 0", where);
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(config, "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = true;
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

LayerNames granitemoe_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  const std::string block = fmt::format("model.layers.{}.block_sparse_moe.", layer);
  names.router = block + "router.layer";
  names.experts = block + "experts";
  names.fused_gate_up = block + "input_linear.weight";
  names.fused_down = block + "output_linear.weight";
  return names;
}

}  // namespace

Family family_granitemoe() { return {"granitemoe", &parse_granitemoe, &granitemoe_layer_names}; }

}  // namespace moelab::model
