// Qwen3-MoE (Qwen3-30B-A3B and its 2507 variants): RMSNorm on each query and key head, softmax router, top-k
// weights renormalised when norm_topk_prob is set, optional dense layers.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

ModelSpec parse_qwen3_moe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.attention.qk_norm = QkNorm::per_head;
  read_softmax_router(config, spec, /*usually_renormalised=*/false, where);
  spec.expert_width = json_get<std::int64_t>(config, "moe_intermediate_size", where);
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.is_moe_layer = read_sparse_layers(config, spec.layers, where);
  return spec;
}

}  // namespace

Family family_qwen3_moe() { return {"qwen3_moe", &parse_qwen3_moe, &common_layer_names}; }

}  // namespace moelab::model
