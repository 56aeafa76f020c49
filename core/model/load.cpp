// Model::load: a checkpoint's tensors by name, checked against the spec, into the decoder's structure.
#include <ATen/ops/empty.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/model/assemble.h"
#include "core/model/model.h"
#include "core/model/safetensors.h"

namespace moelab::model {
namespace {

// Fetches tensors by name with the shape that the spec demands, and remembers which were used.
class Loader {
 public:
  Loader(const LoadOptions& options, TensorSource source) : options_(options), source_(std::move(source)) {}

  bool contains(const std::string& name) const { return source_.contains(name); }

  // In the dtype of the run; `type` asks for another.
  at::Tensor take(const std::string& name, std::vector<std::int64_t> shape,
                  std::optional<at::ScalarType> type = std::nullopt) {
    const at::Tensor stored = find(name, shape);
    if (!at::isFloatingType(stored.scalar_type()))
      throw FileError("{}: the tensor '{}' has dtype {}, a floating-point type was expected", source_.where,
                      name, c10::toString(stored.scalar_type()));
    if (options_.check_finite) require_finite(stored, name, source_.where);
    // A no-op, without a copy, when both fit already.
    return stored.to(options_.device, type.value_or(run_type(stored.scalar_type())));
  }

  // Blocks and scales of the packed matrices [count, rows, columns] of all experts, which stay bytes.
  std::vector<Mxfp4Matrix> take_packed(const std::string& name, std::int64_t count, std::int64_t rows,
                                       std::int64_t columns) {
    const std::int64_t groups = columns / kMxfp4Group;
    const at::Tensor blocks = take_bytes(name + "_blocks", {count, rows, groups, kMxfp4Group / 2});
    const at::Tensor scales = take_bytes(name + "_scales", {count, rows, groups});
    if (!tables_.pairs.defined()) tables_ = make_mxfp4_tables(run_type(at::kBFloat16), options_.device);
    if (options_.check_finite) require_finite_scales(scales, name + "_scales");
    std::vector<Mxfp4Matrix> matrices;
    for (std::int64_t e = 0; e < count; ++e)
      matrices.push_back({blocks.select(0, e), scales.select(0, e), tables_});
    return matrices;
  }

  // A vector [length] in float32. ERNIE stores its correction biases as one row, [1, length].
  at::Tensor take_float_vector(const std::string& name, std::int64_t length) {
    const bool is_row = source_.tensor(name).dim() == 2;
    const std::vector<std::int64_t> row = {1, length}, vector = {length};
    return take(name, is_row ? row : vector, at::kFloat).reshape({length});
  }

  // Tensors that the model should not have: a sign that the config does not belong to the weights.
  void require_all_used(const Family& family, const ModelSpec& spec, const Checkpoint& checkpoint) const {
    std::vector<std::string> extra;
    for (const std::string& name : checkpoint.names())
      if (used_.count(name) == 0 && !name.ends_with("rotary_emb.inv_freq") &&
          !(family.is_unused != nullptr && family.is_unused(spec, name)))
        extra.push_back(name);
    if (extra.empty()) return;
    const std::size_t total = extra.size();
    if (extra.size() > 5) extra.resize(5);
    throw FileError("{}: {} tensors do not belong to the model that config.json describes: {}{}",
                    source_.where, total, fmt::join(extra, ", "), total > 5 ? ", ..." : "");
  }

  // The head of a tied model is sometimes stored beside the embedding; it is not read.
  void ignore(const std::string& name) { used_.insert(name); }

 private:
  // The dtype of the run for a tensor that is stored in another.
  at::ScalarType run_type(at::ScalarType stored) const {
    return options_.dtype.value_or(options_.device.is_cpu() ? at::kFloat : stored);
  }

  at::Tensor find(const std::string& name, const std::vector<std::int64_t>& shape) {
    at::Tensor stored = source_.tensor(name);
    used_.insert(name);
    if (stored.sizes() != at::IntArrayRef(shape))
      throw FileError("{}: the tensor '{}' has shape [{}], config.json demands [{}]", source_.where, name,
                      fmt::join(stored.sizes(), ", "), fmt::join(shape, ", "));
    return stored;
  }

  at::Tensor take_bytes(const std::string& name, const std::vector<std::int64_t>& shape) {
    const at::Tensor stored = find(name, shape);
    if (stored.scalar_type() != at::kByte)
      throw FileError("{}: the tensor '{}' has dtype {}, packed bytes (uint8) were expected", source_.where,
                      name, c10::toString(stored.scalar_type()));
    return stored.to(options_.device);
  }

  void require_finite_scales(const at::Tensor& scales, const std::string& name) const {
    const auto largest = scales.max().item<std::int64_t>();
    const at::ScalarType type = tables_.pairs.scalar_type();
    if (largest == 255)
      throw FileError("{}: the tensor '{}' holds the scale 255, which stands for NaN", source_.where, name);
    if (largest > largest_mxfp4_scale(type))
      throw FileError("{}: the tensor '{}' holds the scale {}, under which values leave the range of {}",
                      source_.where, name, largest, c10::toString(type));
  }

  LoadOptions options_;
  TensorSource source_;
  std::set<std::string> used_;
  Mxfp4Tables tables_;  // made for the first packed matrix
};

Projection take_projection(Loader& loader, const std::string& name, std::int64_t out, std::int64_t in,
                           bool bias) {
  Projection projection{loader.take(name + ".weight", {out, in}), {}};
  if (bias) projection.bias = loader.take(name + ".bias", {out});
  return projection;
}

// A norm's weight as rms_norm takes it.
at::Tensor take_norm(Loader& loader, const ModelSpec& spec, const std::string& name, std::int64_t width) {
  const at::Tensor weight = loader.take(name + ".weight", {width});
  if (spec.norm == NormKind::rms_wide) return weight.to(at::kFloat);
  return spec.norm == NormKind::rms_plus_one ? weight.to(at::kFloat) + 1 : weight;
}

AttentionWeights take_attention(Loader& loader, const ModelSpec& spec, const LayerNames& names) {
  const AttentionSpec& attention = spec.attention;
  const std::int64_t q_width = attention.heads * attention.head_dim;
  const std::int64_t kv_width = attention.kv_heads * attention.head_dim;
  const std::int64_t q_rows = attention.has_output_gate ? 2 * q_width : q_width;
  AttentionWeights weights;
  weights.query = take_projection(loader, names.query, q_rows, spec.hidden, attention.has_bias);
  weights.key = take_projection(loader, names.key, kv_width, spec.hidden, attention.has_bias);
  weights.value = take_projection(loader, names.value, kv_width, spec.hidden, attention.has_bias);
  weights.output = take_projection(loader, names.output, spec.hidden, q_width, attention.has_output_bias);
  if (attention.qk_norm != QkNorm::none) {
    const bool full = attention.qk_norm == QkNorm::full_width;
    weights.query_norm = take_norm(loader, spec, names.query_norm, full ? q_width : attention.head_dim);
    weights.key_norm = take_norm(loader, spec, names.key_norm, full ? kv_width : attention.head_dim);
  }
  if (attention.has_sinks) weights.sinks = loader.take(names.sinks, {attention.heads});
  return weights;
}

LatentAttentionWeights take_latent_attention(Loader& loader, const ModelSpec& spec, const LayerNames& names) {
  const AttentionSpec& attention = spec.attention;
  const LatentSpec& latent = *attention.latent;
  const std::int64_t rotary = attention.rotated(), q_width = attention.heads * attention.head_dim;
  const std::int64_t up_width = q_width + attention.heads * (latent.value_dim - rotary);
  LatentAttentionWeights weights;
  if (latent.query_rank > 0) {
    weights.query_down =
        take_projection(loader, names.query_down, latent.query_rank, spec.hidden, attention.has_bias);
    weights.query_norm = loader.take(names.query_latent_norm + ".weight", {latent.query_rank});
    weights.query = take_projection(loader, names.query_up, q_width, latent.query_rank, false);
  } else {
    weights.query = take_projection(loader, names.query, q_width, spec.hidden, false);
  }
  weights.down =
      take_projection(loader, names.latent_down, latent.kv_rank + rotary, spec.hidden, attention.has_bias);
  weights.norm = loader.take(names.latent_norm + ".weight", {latent.kv_rank});
  weights.up = loader.take(names.latent_up + ".weight", {up_width, latent.kv_rank});
  weights.output = take_projection(loader, names.output, spec.hidden, attention.heads * latent.value_dim,
                                   attention.has_output_bias);
  return weights;
}

DeltaNetWeights take_delta_net(Loader& loader, const ModelSpec& spec, const LayerNames& names) {
  const DeltaNetSpec& net = *spec.delta_net;
  const std::string prefix = names.delta_net + ".";
  DeltaNetWeights weights;
  weights.qkvz =
      loader.take(prefix + "in_proj_qkvz.weight", {net.conv_width() + net.value_width(), spec.hidden});
  weights.ba = loader.take(prefix + "in_proj_ba.weight", {2 * net.value_heads, spec.hidden});
  weights.conv = loader.take(prefix + "conv1d.weight", {net.conv_width(), 1, net.kernel}).squeeze(1);
  weights.log_rate = loader.take(prefix + "A_log", {net.value_heads});
  weights.step_bias = loader.take(prefix + "dt_bias", {net.value_heads});
  weights.norm = loader.take(prefix + "norm.weight", {net.value_dim});
  weights.output = loader.take(prefix + "out_proj.weight", {spec.hidden, net.value_width()});
  return weights;
}

MlpWeights take_mlp(Loader& loader, const LayerNames& names, const std::string& prefix, std::int64_t width,
                    std::int64_t hidden) {
  return {loader.take(prefix + "." + names.expert_gate + ".weight", {width, hidden}),
          loader.take(prefix + "." + names.expert_up + ".weight", {width, hidden}),
          loader.take(prefix + "." + names.expert_down + ".weight", {hidden, width})};
}

// The matrices of all experts: packed, or [experts, in, out] as transformers multiplies them from the left.
std::vector<ExpertMatrix> take_expert_matrices(Loader& loader, const ModelSpec& spec, const std::string& name,
                                               std::int64_t out, std::int64_t in) {
  const std::int64_t experts = spec.router.experts;
  std::vector<ExpertMatrix> matrices;
  if (spec.packed_experts) {
    for (Mxfp4Matrix& matrix : loader.take_packed(name, experts, out, in))
      matrices.emplace_back(std::move(matrix));
    return matrices;
  }
  const at::Tensor all = loader.take(name, {experts, in, out});
  for (std::int64_t e = 0; e < experts; ++e) matrices.emplace_back(all.select(0, e).t());
  return matrices;
}

std::vector<ClampedMlpWeights> take_clamped_experts(Loader& loader, const ModelSpec& spec,
                                                    const LayerNames& names) {
  const std::int64_t experts = spec.router.experts, width = spec.expert_width, hidden = spec.hidden;
  auto gate_up = take_expert_matrices(loader, spec, names.fused_gate_up, 2 * width, hidden);
  auto down = take_expert_matrices(loader, spec, names.fused_down, hidden, width);
  const at::Tensor gate_up_bias = loader.take(names.fused_gate_up + "_bias", {experts, 2 * width});
  const at::Tensor down_bias = loader.take(names.fused_down + "_bias", {experts, hidden});
  std::vector<ClampedMlpWeights> weights;
  for (std::int64_t e = 0; e < experts; ++e) {
    const auto index = static_cast<std::size_t>(e);
    weights.push_back({std::move(gate_up[index]), gate_up_bias.select(0, e), std::move(down[index]),
                       down_bias.select(0, e)});
  }
  return weights;
}

MoeWeights take_moe(Loader& loader, const ModelSpec& spec, const LayerNames& names) {
  const std::int64_t experts = spec.router.experts, width = spec.expert_width, hidden = spec.hidden;
  MoeWeights weights;
  const auto router_type = spec.router.in_float ? std::optional(at::kFloat) : std::nullopt;
  weights.router.weight = loader.take(names.router + ".weight", {experts, hidden}, router_type);
  if (spec.router.has_bias) weights.router.bias = loader.take(names.router + ".bias", {experts}, router_type);
  if (spec.router.has_selection_bias)
    weights.router.selection_bias = loader.take_float_vector(names.router_selection_bias, experts);
  if (spec.shared_width > 0)
    weights.shared = take_mlp(loader, names, names.shared_experts, spec.shared_width, hidden);
  if (spec.has_shared_gate) weights.shared_gate = loader.take(names.shared_gate + ".weight", {1, hidden});
  if (spec.clamped_swiglu) {
    weights.clamped_experts = take_clamped_experts(loader, spec, names);
    return weights;
  }
  if (loader.contains(names.fused_gate_up)) {
    const at::Tensor gate_up = loader.take(names.fused_gate_up, {experts, 2 * width, hidden});
    const at::Tensor down = loader.take(names.fused_down, {experts, hidden, width});
    for (std::int64_t e = 0; e < experts; ++e)
      weights.experts.push_back({gate_up.select(0, e).narrow(0, 0, width),
                                 gate_up.select(0, e).narrow(0, width, width), down.select(0, e)});
    return weights;
  }
  for (std::int64_t e = 0; e < experts; ++e)
    weights.experts.push_back(take_mlp(loader, names, fmt::format("{}.{}", names.experts, e), width, hidden));
  return weights;
}

LayerWeights take_layer(Loader& loader, const ModelSpec& spec, const LayerNames& names, std::int64_t layer) {
  LayerWeights weights;
  weights.input_norm = take_norm(loader, spec, names.input_norm, spec.hidden);
  weights.post_attention_norm = take_norm(loader, spec, names.post_attention_norm, spec.hidden);
  if (spec.norm == NormKind::layer) {
    weights.input_norm_bias = loader.take(names.input_norm + ".bias", {spec.hidden});
    weights.post_attention_norm_bias = loader.take(names.post_attention_norm + ".bias", {spec.hidden});
  }
  if (spec.is_delta_layer(layer))
    weights.delta_net = take_delta_net(loader, spec, names);
  else if (spec.attention.latent)
    weights.latent = take_latent_attention(loader, spec, names);
  else
    weights.attention = take_attention(loader, spec, names);
  if (spec.is_moe_layer.at(static_cast<std::size_t>(layer)))
    weights.mlp = take_moe(loader, spec, names);
  else
    weights.mlp = take_mlp(loader, names, names.dense_mlp, spec.dense_width, spec.hidden);
  return weights;
}

ModelWeights take_ends(Loader& loader, const ModelSpec& spec) {
  ModelWeights weights;
  weights.embedding = loader.take("model.embed_tokens.weight", {spec.vocab_size, spec.hidden});
  weights.final_norm = take_norm(loader, spec, "model.norm", spec.hidden);
  if (spec.norm == NormKind::layer) weights.final_norm_bias = loader.take("model.norm.bias", {spec.hidden});
  if (spec.tied_embeddings) {
    weights.head = weights.embedding;
    loader.ignore("lm_head.weight");
  } else {
    weights.head = loader.take("lm_head.weight", {spec.vocab_size, spec.hidden});
  }
  if (spec.has_head_bias) weights.head_bias = loader.take("lm_head.bias", {spec.vocab_size});
  weights.layers.resize(static_cast<std::size_t>(spec.layers));
  return weights;
}

const Family& own_family(const ModelSpec& spec) {
  return family_of(Json{{"model_type", spec.model_type}}, "the model's spec");
}

}  // namespace

Model Model::load(const std::filesystem::path& directory, const LoadOptions& options) {
  const auto config_path = directory / "config.json";
  const Json config = read_json(config_path);
  const Family& family = family_of(config, config_path.string());
  ModelSpec spec = parse_spec(config, config_path.string());
  const Checkpoint checkpoint(directory);
  Loader loader(options, source_of(checkpoint));
  ModelWeights weights = take_ends(loader, spec);
  for (std::int64_t layer = 0; layer < spec.layers; ++layer)
    weights.layers[static_cast<std::size_t>(layer)] =
        take_layer(loader, spec, family.layer_names(layer), layer);
  loader.require_all_used(family, spec, checkpoint);
  return Model(std::move(spec), std::move(weights));
}

TensorSource source_of(const Checkpoint& checkpoint) {
  return {checkpoint.directory().string(),
          [&checkpoint](const std::string& name) { return checkpoint.contains(name); },
          [&checkpoint](const std::string& name) { return checkpoint.tensor(name); }};
}

ModelWeights assemble_ends(const ModelSpec& spec, const TensorSource& source, const LoadOptions& options) {
  Loader loader(options, source);
  return take_ends(loader, spec);
}

LayerWeights assemble_layer(const ModelSpec& spec, std::int64_t layer, const TensorSource& source,
                            const LoadOptions& options) {
  Loader loader(options, source);
  return take_layer(loader, spec, own_family(spec).layer_names(layer), layer);
}

}  // namespace moelab::model
