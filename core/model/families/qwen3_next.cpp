// Qwen3-Next (Qwen3-Next-80B-A3B): gated delta nets with a gated attention layer after every few of them,
// norms that multiply by 1 + weight, rotation of a part of each head, a shared expert with a sigmoid gate.
#include "core/model/family_fields.h"

namespace moelab::model {
namespace {

// transformers 5 leaves out of a config what equals the library's defaults, which are the published sizes.
Json next_with_defaults(Json config) {
  const auto set = [&](const char* key, const Json& value) {
    if (!config.contains(key) || config[key].is_null()) config[key] = value;
  };
  set("head_dim", 256);
  set("moe_intermediate_size", 512);
  set("shared_expert_intermediate_size", 512);
  set("num_experts_per_tok", 10);
  set("num_key_value_heads", 2);
  set("intermediate_size", 5632);
  if (!config.contains("num_local_experts")) set("num_experts", 512);
  if (!names_rope_field(config, "partial_rotary_factor")) set("partial_rotary_factor", 0.25);
  return config;
}

// Which layers are delta nets: layer_types, or all but every full_attention_interval-th.
std::vector<bool> read_delta_layers(const Json& config, std::int64_t layers, const std::string& where) {
  const auto types = json_get_or<std::vector<std::string>>(config, "layer_types", {}, where);
  std::vector<bool> delta;
  for (const std::string& type : types) {
    if (type != "linear_attention" && type != "full_attention")
      throw FileError("{}: layer_types holds '{}'; known are linear_attention and full_attention", where,
                      type);
    delta.push_back(type == "linear_attention");
  }
  const auto interval = positive_size(config, "full_attention_interval", where, 4);
  for (std::int64_t layer = 0; types.empty() && layer < layers; ++layer)
    delta.push_back((layer + 1) % interval != 0);
  if (static_cast<std::int64_t>(delta.size()) != layers)
    throw FileError("{}: layer_types has {} entries for {} layers", where, delta.size(), layers);
  return delta;
}

DeltaNetSpec read_delta_net(const Json& config, std::int64_t layers, const std::string& where) {
  DeltaNetSpec net;
  net.kernel = json_get_or<std::int64_t>(config, "linear_conv_kernel_dim", 4, where);
  net.key_heads = json_get_or<std::int64_t>(config, "linear_num_key_heads", 16, where);
  net.value_heads = json_get_or<std::int64_t>(config, "linear_num_value_heads", 32, where);
  net.key_dim = json_get_or<std::int64_t>(config, "linear_key_head_dim", 128, where);
  net.value_dim = json_get_or<std::int64_t>(config, "linear_value_head_dim", 128, where);
  if (net.kernel < 2)
    throw FileError("{}: linear_conv_kernel_dim is {}, but must be at least 2", where, net.kernel);
  if (net.key_heads < 1 || net.value_heads < 1 || net.key_dim < 1 || net.value_dim < 1)
    throw FileError("{}: the linear_* sizes of the delta nets must be positive", where);
  if (net.value_heads % net.key_heads != 0)
    throw FileError("{}: linear_num_value_heads {} cannot be shared among linear_num_key_heads {}", where,
                    net.value_heads, net.key_heads);
  net.layers = read_delta_layers(config, layers, where);
  return net;
}

void read_next_experts(ModelSpec& spec, const Json& config, const std::string& where) {
  read_softmax_router(config, spec, /*usually_renormalised=*/true, where);
  spec.expert_width = json_get<std::int64_t>(config, "moe_intermediate_size", where);
  spec.shared_width = positive_size(config, "shared_expert_intermediate_size", where);
  spec.has_shared_gate = true;
  spec.dense_width = json_get_or<std::int64_t>(config, "intermediate_size", 0, where);
  spec.is_moe_layer = read_sparse_layers(config, spec.layers, where);
}

ModelSpec parse_qwen3_next(const Json& given, const std::string& where) {
  const Json config = next_with_defaults(given);
  ModelSpec spec = parse_common(config, where);
  spec.norm = NormKind::rms_plus_one;
  spec.attention.qk_norm = QkNorm::per_head;
  spec.attention.has_output_gate = true;
  spec.delta_net = read_delta_net(config, spec.layers, where);
  read_next_experts(spec, config, where);
  return spec;
}

LayerNames qwen3_next_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  names.delta_net = fmt::format("model.layers.{}.linear_attn", layer);
  names.shared_experts = fmt::format("model.layers.{}.mlp.shared_expert", layer);
  return names;
}

// Layers that predict further tokens at once.
bool is_qwen3_next_prediction(const ModelSpec&, const std::string& tensor) {
  return tensor.starts_with("mtp.");
}

}  // namespace

Family family_qwen3_next() {
  return {"qwen3_next", &parse_qwen3_next, &qwen3_next_layer_names, &is_qwen3_next_prediction};
}

}  // namespace moelab::model
