// gpt-oss (20B, 120B): attention sinks, a sliding window on every other layer, biases on attention, router
// and experts, YaRN, a clamped SwiGLU, softmax over the top-k logits (which is softmax over all with the
// chosen renormalised), and experts in MXFP4 or dequantised.
#include "core/model/family_fields.h"
#include "core/model/mxfp4.h"

namespace moelab::model {
namespace {

// Which layers have the window; the published order when the config does not say.
std::vector<bool> read_windowed(const Json& config, std::int64_t layers, const std::string& where) {
  std::vector<bool> windowed;
  const auto found = config.find("layer_types");
  if (found == config.end() || found->is_null()) {
    for (std::int64_t layer = 0; layer < layers; ++layer) windowed.push_back(layer % 2 == 0);
    return windowed;
  }
  const auto types = json_get<std::vector<std::string>>(config, "layer_types", where);
  if (static_cast<std::int64_t>(types.size()) != layers)
    throw FileError("{}: the field 'layer_types' names {} layers, the model has {}", where, types.size(),
                    layers);
  for (const std::string& type : types) {
    if (type != "sliding_attention" && type != "full_attention")
      throw FileError("{}: layer_types: '{}' is unknown; valid: sliding_attention, full_attention", where,
                      type);
    windowed.push_back(type == "sliding_attention");
  }
  return windowed;
}

void read_window(const Json& config, ModelSpec& spec, const std::string& where) {
  spec.attention.windowed = read_windowed(config, spec.layers, where);
  spec.attention.window = positive_size(config, "sliding_window", where, 128);
}

// Whether the experts are stored in MXFP4.
bool read_packed(const Json& config, const ModelSpec& spec, const std::string& where) {
  const auto found = config.find("quantization_config");
  if (found == config.end() || found->is_null()) return false;
  const auto method = json_get<std::string>(*found, "quant_method", where + ": quantization_config");
  if (method != "mxfp4")
    throw FileError("{}: quant_method '{}' is not supported; 'mxfp4' and unquantised weights are", where,
                    method);
  if (spec.hidden % kMxfp4Group != 0 || spec.expert_width % kMxfp4Group != 0)
    throw FileError("{}: MXFP4 needs hidden_size and intermediate_size in steps of {}; they are {} and {}",
                    where, kMxfp4Group, spec.hidden, spec.expert_width);
  return true;
}

// Fields whose defaults in this family are not those of parse_common: published configs have them all.
void require_own_defaults(const Json& config, const std::string& where) {
  const auto has = [](const Json& fields, const char* key) {
    return fields.is_object() && fields.contains(key) && !fields.at(key).is_null();
  };
  for (const char* key : {"head_dim", "attention_bias", "rms_norm_eps"})
    if (!has(config, key)) throw FileError("{}: the field '{}' is missing", where, key);
  if (!has(config, "rope_scaling") && !has(config, "rope_parameters"))
    throw FileError("{}: the field 'rope_scaling' (or 'rope_parameters') is missing", where);
  if (!names_rope_field(config, "rope_theta"))
    throw FileError("{}: the field 'rope_theta' is missing", where);
}

ModelSpec parse_gpt_oss(const Json& config, const std::string& where) {
  require_own_defaults(config, where);
  ModelSpec spec = parse_common(config, where, {"default", "yarn"});
  spec.norm = NormKind::rms_wide;
  spec.attention.has_sinks = true;
  read_window(config, spec, where);
  spec.router.score = &softmax_score;
  spec.router.has_bias = true;
  spec.router.experts = json_get<std::int64_t>(config, "num_local_experts", where);
  spec.router.top_k = json_get<std::int64_t>(config, "num_experts_per_tok", where);
  spec.router.renormalise = true;
  spec.expert_width = json_get<std::int64_t>(config, "intermediate_size", where);
  ClampedSwiglu swiglu;
  swiglu.limit = json_get_or<double>(config, "swiglu_limit", swiglu.limit, where);
  swiglu.alpha = json_get_or<double>(config, "swiglu_alpha", swiglu.alpha, where);
  if (!(swiglu.limit > 0))
    throw FileError("{}: the field 'swiglu_limit' is {}, but must be positive", where, swiglu.limit);
  spec.clamped_swiglu = swiglu;
  spec.packed_experts = read_packed(config, spec, where);
  spec.is_moe_layer.assign(static_cast<std::size_t>(spec.layers), true);
  return spec;
}

LayerNames gpt_oss_layer_names(std::int64_t layer) {
  LayerNames names = common_layer_names(layer);
  names.router = fmt::format("model.layers.{}.mlp.router", layer);
  names.sinks = fmt::format("model.layers.{}.self_attn.sinks", layer);
  return names;
}

}  // namespace

Family family_gpt_oss() { return {"gpt_oss", &parse_gpt_oss, &gpt_oss_layer_names}; }

}  // namespace moelab::model
