// Fields and tensor names that the configs of several families read alike.
#pragma once

#include "core/model/spec.h"

namespace moelab::model {

// sliding_window of every layer; one as long as the context, or none, hides nothing. Throws FileError when it
// is not positive.
inline void read_window_of_all(const Json& config, ModelSpec& spec, const std::string& where) {
  const auto window = positive_size(config, "sliding_window", where, spec.max_positions);
  if (window < spec.max_positions) spec.attention.window = window;
}

// Softmax over num_experts (num_local_experts, as transformers 5 writes it), num_experts_per_tok of them, and
// norm_topk_prob.
inline void read_softmax_router(const Json& config, ModelSpec& spec, bool usually_renormalised,
                                const std::string& where) {
  spec.router.score = &softmax_score;
  spec.router.experts = json_get<std::int64_t>(
      config, config.contains("num_experts") ? "num_experts" : "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = json_get_or<bool>(config, "norm_topk_prob", usually_renormalised, where);
}

// common_layer_names with experts named w1 (gate), w3 (up) and w2 (down) in a block_sparse_moe.
inline LayerNames block_sparse_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  const std::string block = fmt::format("model.layers.{}.block_sparse_moe.", layer);
  names.router = block + "gate";
  names.experts = block + "experts";
  names.fused_gate_up = block + "experts.gate_up_proj";
  names.fused_down = block + "experts.down_proj";
  names.expert_gate = "w1";
  names.expert_up = "w3";
  names.expert_down = "w2";
  return names;
}

}  // namespace moelab::model
