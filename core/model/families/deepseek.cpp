// DeepSeek-MoE (deepseek-moe-16b-base): Llama's attention, softmax router whose weights are renormalised
// where norm_topk_prob says so, shared experts, dense first layers, experts in every moe_layer_freq-th layer.
#include "core/model/deepseek_config.h"

namespace moelab::model {
namespace {

ModelSpec parse_deepseek(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  read_deepseek_experts(config, where, spec);
  require_choice(config, "scoring_func", {"softmax"}, where);
  spec.router.score = &softmax_score;
  // A single weight is left as it is.
  spec.router.renormalise =
      spec.router.top_k > 1 && json_get_or<bool>(config, "norm_topk_prob", false, where);
  spec.router.sum_offset = 1e-20;
  return spec;
}

}  // namespace

Family family_deepseek() { return {"deepseek", &parse_deepseek, &common_layer_names}; }

}  // namespace moelab::model
