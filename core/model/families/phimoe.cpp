// Phi-MoE (Phi-3.5-MoE, Phi-mini-MoE, Phi-tiny-MoE): LayerNorm with bias, biases on attention and head,
// longrope, a sliding window, and the sparsemixer, whose two weights are not renormalised.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

ModelSpec parse_phimoe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where, {"default", "longrope"});
  spec.norm = NormKind::layer;
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.has_head_bias = json_get_or<bool>(config, "lm_head_bias", false, where);
  read_window_of_all(config, spec, where);
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

}  // namespace

Family family_phimoe() { return {"phimoe", &parse_phimoe, &block_sparse_layer_names}; }

}  // namespace moelab::model
