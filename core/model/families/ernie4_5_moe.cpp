// ERNIE 4.5 (ERNIE-4.5-21B-A3B and its Thinking variant): neighbouring dimensions turn together, softmax
// router in float32 with a correction bias for the choice alone, weights divided by no less than
// moe_norm_min, shared experts, dense first layers, tied embeddings.
#include <algorithm>
#include <array>
#include <string_view>

#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

std::int64_t ernie_count(const Json& config, const char* key, std::int64_t fallback, std::int64_t least,
                         const std::string& where) {
  const auto value = json_get_or<std::int64_t>(config, key, fallback, where);
  if (value < least)
    throw FileError("{}: the field '{}' is {}, but must be at least {}", where, key, value, least);
  return value;
}

// Sparse are the layers from the start index to the end index (-1: the last) of which every interval-th
// counts.
std::vector<bool> ernie_sparse_layers(const Json& config, std::int64_t layers, const std::string& where) {
  const std::int64_t start = ernie_count(config, "moe_layer_start_index", 1, 0, where);
  const std::int64_t interval = ernie_count(config, "moe_layer_interval", 1, 1, where);
  std::int64_t end = ernie_count(config, "moe_layer_end_index", -1, -1, where);
  if (end == -1) end = layers - 1;
  std::vector<bool> is_moe;
  for (std::int64_t layer = 0; layer < layers; ++layer)
    is_moe.push_back(layer >= start && layer <= end && (layer + 1) % interval == 0);
  return is_moe;
}

RouterSpec ernie_router(const Json& config, const std::string& where) {
  RouterSpec router;
  router.score = &softmax_score;
  router.in_float = true;
  router.experts = ernie_count(config, "moe_num_experts", 64, 1, where);
  router.top_k = ernie_count(config, "moe_k", 6, 1, where);
  router.has_selection_bias = true;
  router.renormalise = true;
  router.smallest_sum = json_get_or<double>(config, "moe_norm_min", 1e-12, where);
  return router;
}

ModelSpec parse_ernie4_5_moe(const Json& config, const std::string& where) {
  ModelSpec spec = parse_common(config, where);
  if (json_get_or<bool>(config, "use_bias", false, where))
    throw FileError("{}: the field 'use_bias' is true, which is not supported by this family", where);
  if (!names_rope_field(config, "rope_theta"))
    spec.attention.rope_theta = 5e5;  // the class default, which is not Llama's
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-5, where);
  spec.tied_embeddings = json_get_or<bool>(config, "tie_word_embeddings", true, where);
  spec.attention.pairs = RotaryPairs::interleaved;
  spec.router = ernie_router(config, where);
  spec.expert_width = ernie_count(config, "moe_intermediate_size", 1536, 1, where);
  spec.shared_width = spec.expert_width * ernie_count(config, "moe_num_shared_experts", 2, 0, where);
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.is_moe_layer = ernie_sparse_layers(config, spec.layers, where);
  return spec;
}

LayerNames ernie4_5_moe_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  names.router_selection_bias = fmt::format("model.layers.{}.mlp.moe_statics.e_score_correction_bias", layer);
  return names;
}

// The extra block that predicts one token further.
bool is_ernie_prediction(const ModelSpec&, const std::string& tensor) {
  constexpr std::array<std::string_view, 4> kParts = {"model.mtp_block.", "model.mtp_emb_norm.",
                                                      "model.mtp_hidden_norm.", "model.mtp_linear_proj."};
  return std::any_of(kParts.begin(), kParts.end(), [&](auto part) { return tensor.starts_with(part); });
}

}  // namespace

Family family_ernie4_5_moe() {
  return {"ernie4_5_moe",
          &parse_ernie4_5_moe,
          &ernie4_5_moe_layer_names,
          &is_ernie_prediction,
          {"mlp.gate.weight", "moe_statics.e_score_correction_bias"}};
}

}  // namespace moelab::model
