// OLMoE (OLMoE-1B-7B): RMSNorm over the full query and key projections before the heads are split, optional
// clamp of q, k and v, softmax router whose top-k weights are not renormalised, every layer sparse.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

ModelSpec parse_olmoe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.attention.qk_norm = QkNorm::full_width;
  const auto clip = config.find("clip_qkv");
  if (clip != config.end() && !clip->is_null())
    spec.attention.clip_qkv = json_get<double>(config, "clip_qkv", where);
  read_softmax_router(config, spec, /*usually_renormalised=*/false, where);
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

}  // namespace

Family family_olmoe() { return {"olmoe", &parse_olmoe, &common_layer_names}; }

}  // namespace moelab::model
