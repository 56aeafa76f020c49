// Mixtral (Mixtral-8x7B, 8x22B): Llama's attention with an optional sliding window, softmax router with the
// chosen always renormalised, experts named w1 (gate), w3 (up) and w2 (down).
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

ModelSpec parse_mixtral(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  if (!names_rope_field(config, "rope_theta"))
    spec.attention.rope_theta = 1e6;  // the class default, which is not Llama's
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  read_window_of_all(config, spec, where);
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(config, "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = true;
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

}  // namespace

Family family_mixtral() { return {"mixtral", &parse_mixtral, &block_sparse_layer_names}; }

}  // namespace moelab::model
