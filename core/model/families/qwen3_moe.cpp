// Qwen3-MoE (Qwen3-30B-A3B and its 2507 variants): RMSNorm on each query and key head, softmax router, top-k
// weights renormalised when norm_topk_prob is set, optional dense layers.
#include "core/model/spec.h"

namespace moelab::model {
namespace {

ModelSpec parse_qwen3_moe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.attention.qk_norm = QkNorm::per_head;
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(
      config, config.contains("num_experts") ? "num_experts" : "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = json_get_or<bool>(config, "norm_topk_prob", false, where);
  spec.expert_width = json_get<std::int64_t>(config, "moe_intermediate_size", where);
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.is_moe_layer = read_sparse_layers(config, spec.layers, where);
  return spec;
}

}  // namespace

Family family_qwen3_moe() { return {"qwen3_moe", &parse_qwen3_moe, &common_layer_names}; }

}  // namespace moelab::model
