// Qwen2-MoE (Qwen1.5-MoE-A2.7B, Qwen2-57B-A14B): biases on q, k and v alone, softmax router whose weights are
// not renormalised unless norm_topk_prob says so, a shared expert behind a sigmoid gate, optional dense
// layers.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

ModelSpec parse_qwen2_moe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.attention.has_bias = json_get_or<bool>(config, "qkv_bias", true, where);
  spec.attention.has_output_bias = false;
  read_softmax_router(config, spec, /*usually_renormalised=*/false, where);
  spec.expert_width = json_get<std::int64_t>(config, "moe_intermediate_size", where);
  spec.shared_width = positive_size(config, "shared_expert_intermediate_size", where);
  spec.has_shared_gate = true;
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.is_moe_layer = read_sparse_layers(config, spec.layers, where);
  return spec;
}

LayerNames qwen2_moe_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  names.shared_experts = fmt::format("model.layers.{}.mlp.shared_expert", layer);
  return names;
}

}  // namespace

Family family_qwen2_moe() { return {"qwen2_moe", &parse_qwen2_moe, &qwen2_moe_layer_names}; }

}  // namespace moelab::model
