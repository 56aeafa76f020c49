#include "core/model/deepseek_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace moelab::model {

ModelSpec parse_latent_common(const Json& config, const std::string& where) {
  const std::int64_t rotary = positive_size(config, "qk_rope_head_dim", where);
  Json full = config;
  full["head_dim"] = rotary;  // what parse_common reads the rotation for; the whole head is set below
  ModelSpec spec = parse_common(full, where, {"default", "yarn"});
  AttentionSpec& attention = spec.attention;
  if (attention.kv_heads != attention.heads)
    throw FileError(
        "{}: num_key_value_heads is {}, but attention over latents has one for each of its {} heads", where,
        attention.kv_heads, attention.heads);
  if (attention.rotary_dim != rotary)
    throw FileError(
        "{}: partial_rotary_factor is not supported by this family: qk_rope_head_dim says what turns", where);
  if (json_get_or<bool>(config, "mlp_bias", false, where))
    throw FileError("{}: mlp_bias is not supported by this family", where);
  // The published code and transformers do not read it alike; no published model sets it.
  if (json_get_or<std::int64_t>(config, "moe_layer_freq", 1, where) != 1)
    throw FileError("{}: moe_layer_freq other than 1 is not supported by this family", where);
  attention.head_dim = rotary + positive_size(config, "qk_nope_head_dim", where);
  attention.pairs = RotaryPairs::interleaved;
  if (attention.rope_scaling)
    attention.scale =
        attention.rope_scaling->score_scale / std::sqrt(static_cast<double>(attention.head_dim));
  LatentSpec latent;
  latent.kv_rank = positive_size(config, "kv_lora_rank", where);
  latent.value_dim = positive_size(config, "v_head_dim", where);
  const auto query = config.find("q_lora_rank");
  if (query != config.end() && !query->is_null())
    latent.query_rank = positive_size(config, "q_lora_rank", where);
  attention.latent = latent;
  return spec;
}

void read_deepseek_experts(const Json& config, const std::string& where, ModelSpec& spec) {
  spec.router.experts = positive_size(config, "n_routed_experts", where);
  spec.router.top_k = positive_size(config, "num_experts_per_tok", where);
  spec.expert_width = positive_size(config, "moe_intermediate_size", where);
  const auto shared = json_get_or<std::int64_t>(config, "n_shared_experts", 0, where);
  if (shared < 0) throw FileError("{}: the field 'n_shared_experts' is {}", where, shared);
  spec.shared_width = shared * spec.expert_width;
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  const auto dense = json_get_or<std::int64_t>(config, "first_k_dense_replace", 0, where);
  const auto step = positive_size(config, "moe_layer_freq", where, 1);
  for (std::int64_t layer = 0; layer < spec.layers; ++layer)
    spec.is_moe_layer.push_back(layer >= dense && layer % step == 0);
}

void require_choice(const Json& config, const char* key, std::initializer_list<std::string_view> allowed,
                    const std::string& where) {
  const auto value = json_get_or<std::string>(config, key, std::string(*allowed.begin()), where);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
    throw FileError("{}: {} '{}' is not supported by this family; {} is", where, key, value,
                    fmt::join(allowed, " or "));
}

LayerNames latent_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  const std::string attention = fmt::format("model.layers.{}.self_attn.", layer);
  names.query_down = attention + "q_a_proj";
  names.query_latent_norm = attention + "q_a_layernorm";
  names.query_up = attention + "q_b_proj";
  names.latent_down = attention + "kv_a_proj_with_mqa";
  names.latent_norm = attention + "kv_a_layernorm";
  names.latent_up = attention + "kv_b_proj";
  return names;
}

}  // namespace moelab::model
