// DeepSeek-V3 (Moonlight-16B-A3B, DeepSeek-V3, R1): attention over latents, sigmoid router in float32 with a
// correction bias for the choice alone, groups of experts judged by their two best, weights renormalised and
// multiplied, shared experts, dense first layers; layers that predict further tokens are not read.
#include "core/model/deepseek_config.h"

namespace moelab::model {
namespace {

ModelSpec parse_deepseek_v3(const Json& config, const std::string& where) {
  ModelSpec spec = parse_latent_common(config, where);
  read_deepseek_experts(config, where, spec);
  require_choice(config, "scoring_func", {"sigmoid"}, where);
  require_choice(config, "topk_method", {"noaux_tc"}, where);
  if (!json_get_or<bool>(config, "rope_interleave", true, where)) spec.attention.pairs = RotaryPairs::half;
  spec.router.score = &sigmoid_score;
  spec.router.in_float = true;
  spec.router.has_selection_bias = true;
  spec.router.groups = json_get<std::int64_t>(config, "n_group", where);
  spec.router.groups_kept = json_get<std::int64_t>(config, "topk_group", where);
  spec.router.group_score = GroupScore::two_largest_summed;
  spec.router.renormalise = json_get_or<bool>(config, "norm_topk_prob", true, where);
  spec.router.sum_offset = 1e-20;
  spec.router.weight_multiplier = json_get<double>(config, "routed_scaling_factor", where);
  spec.prediction_layers = json_get_or<std::int64_t>(config, "num_nextn_predict_layers", 1, where);
  return spec;
}

}  // namespace

Family family_deepseek_v3() {
  return {"deepseek_v3",
          &parse_deepseek_v3,
          &latent_layer_names,
          &is_prediction_layer,
          {"e_score_correction_bias"}};
}

}  // namespace moelab::model
