// What the configs of DeepSeek's families share, and the names of their tensors.
#pragma once

#include <string>

#include "core/model/spec.h"

namespace moelab::model {

// parse_common for a model with attention over latents, AttentionSpec::latent filled; rope types default and
// yarn, whose mscale_all_dim also scales the scores. Throws FileError naming the field, also where the config
// shares keys among heads, which latents leave no place for.
ModelSpec parse_latent_common(const Json& config, const std::string& where);

// Sizes of experts, shared experts and dense layers, and which layers are dense: those before
// first_k_dense_replace and, of the others, all whose index moe_layer_freq does not divide. Throws FileError.
void read_deepseek_experts(const Json& config, const std::string& where, ModelSpec& spec);

// Throws FileError when the config has `key`, not null, with another text than those of `allowed`.
void require_choice(const Json& config, const char* key, std::initializer_list<std::string_view> allowed,
                    const std::string& where);

// common_layer_names and the tensors of attention over latents; direct or through a latent of the queries.
LayerNames latent_layer_names(std::int64_t layer);

}  // namespace moelab::model
