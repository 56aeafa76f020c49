// OLMoE (OLMoE-1B-7B): RMSNorm over the full query and key projections before the heads are split, optional
// clamp of q, k and v, softmax router whose top-k weights are not renormalised, every layer sparse.
#include "core/model/spec.h"

namespace moelab::model {
namespace {

ModelSpec parse_olmoe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.attention.qk_norm = QkNorm::full_width;
  const auto clip = config.find("clip_qkv");
  if (clip != config.end() && !clip->is_null())
    spec.attention.clip_qkv = json_get<double>(config, "clip_qkv", where);
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(
      config, config.contains("num_experts") ? "num_experts" : "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = json_get_or<bool>(config, "norm_topk_prob", false, where);
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

}  // namespace

Family family_olmoe() { return {"olmoe", &parse_olmoe, &common_layer_names}; }

}  // namespace moelab::model
