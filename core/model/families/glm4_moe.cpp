// GLM-4.5 (GLM-4.5, GLM-4.5-Air): half of each head is rotated, biases on q, k and v, optional RMSNorm on
// each query and key head, sigmoid router in float32 with a correction bias for the choice alone, groups of
// experts and a factor on the weights, shared experts, dense first layers.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

RouterSpec glm_router(const Json& config, const std::string& where) {
  RouterSpec router;
  router.score = &sigmoid_score;
  router.in_float = true;
  router.experts = json_get<std::int64_t>(config, "n_routed_experts", where);
  router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  router.has_selection_bias = true;
  router.renormalise = json_get_or<bool>(config, "norm_topk_prob", true, where);
  router.sum_offset = 1e-20;
  router.weight_multiplier = json_get_or<double>(config, "routed_scaling_factor", 1.0, where);
  router.groups = json_get_or<std::int64_t>(config, "n_group", 1, where);
  router.groups_kept = json_get_or<std::int64_t>(config, "topk_group", 1, where);
  router.group_score = GroupScore::two_largest_summed;
  return router;
}

ModelSpec parse_glm4_moe(const Json& config, const std::string& where) {
  Json full = config;
  // The published models turn half of a head, also where the config does not say it.
  if (!names_rope_field(config, "partial_rotary_factor")) full["partial_rotary_factor"] = 0.5;
  ModelSpec spec = parse_common(full, where);
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.attention.has_output_bias = false;
  if (json_get_or<bool>(config, "use_qk_norm", false, where)) spec.attention.qk_norm = QkNorm::per_head;
  spec.router = glm_router(config, where);
  spec.expert_width = json_get<std::int64_t>(config, "moe_intermediate_size", where);
  const auto shared = json_get_or<std::int64_t>(config, "n_shared_experts", 1, where);
  if (shared < 0)
    throw FileError("{}: the field 'n_shared_experts' is {}, but must not be negative", where, shared);
  spec.shared_width = spec.expert_width * shared;
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.prediction_layers = json_get_or<std::int64_t>(config, "num_nextn_predict_layers", 1, where);
  const auto dense = json_get_or<std::int64_t>(config, "first_k_dense_replace", 1, where);
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) spec.is_moe_layer.push_back(layer >= dense);
  return spec;
}

}  // namespace

Family family_glm4_moe() {
  return {
      "glm4_moe", &parse_glm4_moe, &common_layer_names, &is_prediction_layer, {"e_score_correction_bias"}};
}

}  // namespace moelab::model
