// DeepSeek-V2 (DeepSeek-V2-Lite, DeepSeek-V2): attention over latents, YaRN whose mscale_all_dim also scales
// the scores, softmax router in float32 whose weights are multiplied and not renormalised, greedy choice or
// one limited to the best groups, shared experts, dense first layers.
#include "core/model/deepseek_config.h"

namespace moelab::model {
namespace {

ModelSpec parse_deepseek_v2(const Json& config, const std::string& where) {
  ModelSpec spec = parse_latent_common(config, where);
  read_deepseek_experts(config, where, spec);
  require_choice(config, "scoring_func", {"softmax"}, where);
  require_choice(config, "topk_method", {"greedy", "group_limited_greedy"}, where);
  // The published code then leaves the multiplier out, and transformers reads the field not at all.
  if (json_get_or<bool>(config, "norm_topk_prob", false, where))
    throw FileError("{}: norm_topk_prob true is not supported by this family: its implementations disagree",
                    where);
  spec.router.score = &softmax_score;
  spec.router.in_float = true;
  spec.router.weight_multiplier = json_get_or<double>(config, "routed_scaling_factor", 1.0, where);
  const auto method = json_get_or<std::string>(config, "topk_method", "greedy", where);
  if (std::string_view(method) == "group_limited_greedy") {
    spec.router.groups = json_get<std::int64_t>(config, "n_group", where);
    spec.router.groups_kept = json_get<std::int64_t>(config, "topk_group", where);
    spec.router.group_score = GroupScore::largest;
  }
  return spec;
}

}  // namespace

Family family_deepseek_v2() { return {"deepseek_v2", &parse_deepseek_v2, &latent_layer_names}; }

}  // namespace moelab::model
