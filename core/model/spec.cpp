#include "core/model/spec.h"

#include <algorithm>

namespace moelab::model {
namespace {

std::vector<std::int64_t> read_eos(const Json& config, const std::string& where) {
  const auto found = config.find("eos_token_id");
  if (found == config.end() || found->is_null()) return {};
  if (found->is_array()) return json_get<std::vector<std::int64_t>>(config, "eos_token_id", where);
  return {json_get<std::int64_t>(config, "eos_token_id", where)};
}

// Of one layer, its norms of the hidden states not counted.
std::int64_t latent_parameters(const AttentionSpec& attention, std::int64_t hidden) {
  const LatentSpec& latent = *attention.latent;
  const std::int64_t rotary = attention.rotated(), q_width = attention.heads * attention.head_dim;
  const std::int64_t o_width = attention.heads * latent.value_dim;
  const std::int64_t plain = q_width - attention.heads * rotary;
  std::int64_t count = hidden * (latent.kv_rank + rotary + o_width);
  count += latent.kv_rank * (1 + plain + o_width);
  if (attention.has_bias) count += latent.kv_rank + rotary;
  if (attention.has_output_bias) count += hidden;
  if (latent.query_rank == 0) return count + hidden * q_width;
  return count + latent.query_rank * (hidden + 1 + q_width + (attention.has_bias ? 1 : 0));
}

std::int64_t attention_parameters(const ModelSpec& spec) {
  const AttentionSpec& attention = spec.attention;
  if (attention.latent) return latent_parameters(attention, spec.hidden);
  const std::int64_t width = attention.heads * attention.head_dim;
  const std::int64_t q_width = attention.has_output_gate ? 2 * width : width;
  const std::int64_t kv_width = attention.kv_heads * attention.head_dim;
  std::int64_t count = spec.hidden * (q_width + 2 * kv_width + width);
  if (attention.qk_norm == QkNorm::per_head) count += 2 * attention.head_dim;
  if (attention.qk_norm == QkNorm::full_width) count += width + kv_width;
  if (attention.has_bias) count += q_width + 2 * kv_width;
  if (attention.has_output_bias) count += spec.hidden;
  if (attention.has_sinks) count += attention.heads;
  return count;
}

std::int64_t delta_net_parameters(const ModelSpec& spec) {
  if (!spec.delta_net) return 0;
  const DeltaNetSpec& net = *spec.delta_net;
  const std::int64_t projected = net.conv_width() + net.value_width() + 2 * net.value_heads;
  return spec.hidden * (projected + net.value_width()) + net.conv_width() * net.kernel + 2 * net.value_heads +
         net.value_dim;
}

void require_possible_routing(const RouterSpec& router, const std::string& where) {
  if (router.top_k < 1 || router.experts < 1 || router.top_k > router.experts)
    throw FileError("{}: each token would be routed to {} of {} experts, which is impossible", where,
                    router.top_k, router.experts);
  if (router.groups < 1 || router.experts % router.groups != 0 || router.groups_kept < 1 ||
      router.groups_kept > router.groups ||
      router.groups_kept * (router.experts / router.groups) < router.top_k ||
      (router.group_score == GroupScore::two_largest_summed && router.experts / router.groups < 2))
    throw FileError("{}: {} experts would be taken from {} of {} groups of {} experts, which is impossible",
                    where, router.top_k, router.groups_kept, router.groups, router.experts);
}

// Of the MLPs that the layers have.
void require_widths(const ModelSpec& spec, const std::string& where) {
  const auto& sparse = spec.is_moe_layer;
  const auto require = [&](bool is_there, const char* what, std::int64_t width) {
    if (is_there && width <= 0)
      throw FileError("{}: the inner size of {} is {}, but must be positive", where, what, width);
  };
  require(std::count(sparse.begin(), sparse.end(), true) > 0, "an expert", spec.expert_width);
  require(std::count(sparse.begin(), sparse.end(), false) > 0, "a dense layer", spec.dense_width);
}

}  // namespace

std::int64_t positive_size(const Json& config, const char* key, const std::string& where,
                           std::optional<std::int64_t> fallback) {
  const auto value = fallback ? json_get_or<std::int64_t>(config, key, *fallback, where)
                              : json_get<std::int64_t>(config, key, where);
  if (value <= 0) throw FileError("{}: the field '{}' is {}, but must be positive", where, key, value);
  return value;
}

ModelSpec parse_common(const Json& config, const std::string& where,
                       std::initializer_list<std::string_view> rope_types) {
  ModelSpec spec;
  spec.model_type = json_get<std::string>(config, "model_type", where);
  spec.vocab_size = positive_size(config, "vocab_size", where);
  spec.hidden = positive_size(config, "hidden_size", where);
  spec.layers = positive_size(config, "num_hidden_layers", where);
  spec.max_positions = positive_size(config, "max_position_embeddings", where);
  spec.norm_eps = json_get_or<double>(config, "rms_norm_eps", 1e-6, where);
  spec.tied_embeddings = json_get_or<bool>(config, "tie_word_embeddings", false, where);
  spec.attention.heads = positive_size(config, "num_attention_heads", where);
  spec.attention.kv_heads =
      json_get_or<std::int64_t>(config, "num_key_value_heads", spec.attention.heads, where);
  if (spec.attention.kv_heads <= 0 || spec.attention.heads % spec.attention.kv_heads != 0)
    throw FileError("{}: {} attention heads cannot be shared among {} key-value heads", where,
                    spec.attention.heads, spec.attention.kv_heads);
  spec.attention.head_dim =
      json_get_or<std::int64_t>(config, "head_dim", spec.hidden / spec.attention.heads, where);
  if (spec.attention.head_dim <= 0 || spec.attention.head_dim % 2 != 0)
    throw FileError("{}: head_dim {} must be a positive even number", where, spec.attention.head_dim);
  spec.attention.has_bias = json_get_or<bool>(config, "attention_bias", false, where);
  spec.attention.has_output_bias = spec.attention.has_bias;
  spec.attention.rotary_dim = read_rotary_dim(config, spec.attention.head_dim, where);
  const RopeConfig rope = read_rope(config, spec.attention.rotary_dim, where, rope_types);
  spec.attention.rope_theta = rope.theta;
  spec.attention.rope_scaling = rope.scaling;
  const auto activation = json_get_or<std::string>(config, "hidden_act", "silu", where);
  if (activation != "silu")
    throw FileError("{}: hidden_act '{}' is not supported by this family; 'silu' is", where, activation);
  if (json_get_or<bool>(config, "use_sliding_window", false, where))
    throw FileError("{}: use_sliding_window is not supported by this family", where);
  spec.eos_ids = read_eos(config, where);
  return spec;
}

LayerNames common_layer_names(std::int64_t layer) {
  const std::string prefix = fmt::format("model.layers.{}.", layer);
  const std::string attention = prefix + "self_attn.";
  LayerNames names;
  names.input_norm = prefix + "input_layernorm";
  names.post_attention_norm = prefix + "post_attention_layernorm";
  names.query = attention + "q_proj";
  names.key = attention + "k_proj";
  names.value = attention + "v_proj";
  names.output = attention + "o_proj";
  names.query_norm = attention + "q_norm";
  names.key_norm = attention + "k_norm";
  names.router = prefix + "mlp.gate";
  names.experts = prefix + "mlp.experts";
  names.fused_gate_up = prefix + "mlp.experts.gate_up_proj";
  names.fused_down = prefix + "mlp.experts.down_proj";
  names.expert_gate = "gate_proj";
  names.expert_up = "up_proj";
  names.expert_down = "down_proj";
  names.dense_mlp = prefix + "mlp";
  names.router_selection_bias = names.router + ".e_score_correction_bias";
  names.shared_experts = prefix + "mlp.shared_experts";
  names.shared_gate = prefix + "mlp.shared_expert_gate";
  return names;
}

std::vector<bool> read_sparse_layers(const Json& config, std::int64_t layers, const std::string& where) {
  const auto dense = json_get_or<std::vector<std::int64_t>>(config, "mlp_only_layers", {}, where);
  const auto step = positive_size(config, "decoder_sparse_step", where, 1);
  std::vector<bool> is_sparse;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const bool is_listed = std::find(dense.begin(), dense.end(), layer) != dense.end();
    is_sparse.push_back(!is_listed && (layer + 1) % step == 0);
  }
  return is_sparse;
}

bool is_prediction_layer(const ModelSpec& spec, const std::string& tensor) {
  for (std::int64_t layer = spec.layers; layer < spec.layers + spec.prediction_layers; ++layer)
    if (tensor.starts_with(fmt::format("model.layers.{}.", layer))) return true;
  return false;
}

const Family& family_of(const Json& config, const std::string& where) {
  const auto type = json_get<std::string>(config, "model_type", where);
  std::string supported;
  for (const Family& family : families()) {
    if (family.model_type == type) return family;
    supported += (supported.empty() ? "" : ", ") + family.model_type;
  }
  throw FileError("{}: model_type '{}' is not supported; these are: {}", where, type, supported);
}

ModelSpec parse_spec(const Json& config, const std::string& where) {
  ModelSpec spec = family_of(config, where).parse(config, where);
  require_possible_routing(spec.router, where);
  require_widths(spec, where);
  return spec;
}

ModelSpec read_spec(const std::filesystem::path& model_dir) {
  const auto path = std::filesystem::is_directory(model_dir) ? model_dir / "config.json" : model_dir;
  const Json config = read_json(path);
  return parse_spec(config, path.string());
}

std::int64_t ModelSpec::delta_layers() const {
  return delta_net ? std::count(delta_net->layers.begin(), delta_net->layers.end(), true) : 0;
}

ParameterCount count_parameters(const ModelSpec& spec) {
  const std::int64_t norm = spec.hidden * (spec.norm == NormKind::layer ? 2 : 1);
  const std::int64_t attention = attention_parameters(spec), delta_net = delta_net_parameters(spec);
  const std::int64_t matrices = 3 * spec.hidden * spec.expert_width;
  const std::int64_t expert = matrices + (spec.clamped_swiglu ? 2 * spec.expert_width + spec.hidden : 0);
  const std::int64_t shared = 3 * spec.hidden * spec.shared_width + (spec.has_shared_gate ? spec.hidden : 0);
  const std::int64_t router_size =
      spec.router.experts * (spec.hidden + spec.router.has_bias + spec.router.has_selection_bias);
  ParameterCount count;
  count.total = spec.vocab_size * spec.hidden * (spec.tied_embeddings ? 1 : 2) + norm;
  if (spec.has_head_bias) count.total += spec.vocab_size;
  count.active = count.total;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    const bool is_moe = spec.is_moe_layer.at(static_cast<std::size_t>(layer));
    const std::int64_t always = 2 * norm + (spec.is_delta_layer(layer) ? delta_net : attention) +
                                (is_moe ? router_size + shared : 3 * spec.hidden * spec.dense_width);
    count.total += always + (is_moe ? spec.router.experts * expert : 0);
    count.active += always + (is_moe ? spec.router.top_k * expert : 0);
    if (is_moe && spec.packed_experts) count.packed += spec.router.experts * matrices;
  }
  return count;
}

}  // namespace moelab::model
