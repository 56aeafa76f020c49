// What a model is: sizes, attention, router and layer kinds, read from a Hugging Face config.json by its
// family.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/model/rope.h"
#include "core/model/router.h"

namespace moelab::model {

enum class QkNorm { none, per_head, full_width };

// Which dimensions of a head turn together: i and i + rotary_dim / 2, or 2 i and 2 i + 1.
enum class RotaryPairs { half, interleaved };

// RMSNorm with a weight; the same with the weight kept in float32 and multiplied before the cast, and so with
// 1 + weight, on queries and keys too; LayerNorm with weight and bias.
enum class NormKind { rms, rms_wide, rms_plus_one, layer };

// (up + 1) * gate * sigmoid(alpha * gate), with gate at most `limit` and up within +-limit.
struct ClampedSwiglu {
  double limit = 7.0;
  double alpha = 1.702;
};

// Keys and values made from one latent a token (see core/model/latent_attention.h). The heads share their
// rotated part, which stands behind the plain one.
struct LatentSpec {
  std::int64_t kv_rank = 0;     // size of the latent
  std::int64_t query_rank = 0;  // size of the queries' latent; 0: queries are projected directly
  std::int64_t value_dim = 0;   // of one head
  double norm_eps = 1e-6;       // of the latents' norms; configs do not name it
};

struct AttentionSpec {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  QkNorm qk_norm = QkNorm::none;   // RMSNorm on queries and keys before the rotation
  std::optional<double> clip_qkv;  // clamp of the q, k and v projections to [-clip, clip]
  bool has_bias = false;           // bias on q, k and v
  bool has_output_bias = false;    // bias on o
  bool has_output_gate = false;    // q_proj also gives a gate for each head; its sigmoid scales the output
  double rope_theta = 10000.0;
  // Dimensions of a head that are rotated: the leading ones, with `latent` the last; 0: all of head_dim.
  std::int64_t rotary_dim = 0;
  RotaryPairs pairs = RotaryPairs::half;
  std::optional<RopeScaling> rope_scaling;  // none: theta's own frequencies
  std::optional<double> scale;              // of the scores; none: head_dim^-0.5
  std::optional<std::int64_t> window;       // position i sees j only where i - window < j
  std::vector<bool> windowed;               // [layers] that have the window; empty: all
  bool has_sinks = false;                   // one more logit a head in the softmax (core/model/sinks.h)
  std::optional<LatentSpec> latent;         // none: keys and values are projected for each head

  std::int64_t rotated() const { return rotary_dim > 0 ? rotary_dim : head_dim; }
};

// Layers with a delta net in the place of attention; see delta_net.h.
struct DeltaNetSpec {
  std::int64_t key_heads = 0;    // of queries too
  std::int64_t value_heads = 0;  // a multiple of key_heads: neighbouring ones share a key head
  std::int64_t key_dim = 0;      // of one head
  std::int64_t value_dim = 0;
  std::int64_t kernel = 0;   // tokens that the convolution sees
  std::vector<bool> layers;  // [layers] which are delta nets

  std::int64_t key_width() const { return key_heads * key_dim; }
  std::int64_t value_width() const { return value_heads * value_dim; }
  std::int64_t conv_width() const { return 2 * key_width() + value_width(); }
};

struct ModelSpec {
  std::string model_type;
  std::int64_t vocab_size = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;
  std::int64_t max_positions = 0;
  NormKind norm = NormKind::rms;
  double norm_eps = 1e-6;
  bool tied_embeddings = false;
  bool has_head_bias = false;
  double embedding_multiplier = 1.0;  // of the embeddings, before the first layer
  double residual_multiplier = 1.0;   // of both branches of a layer
  double logits_divisor = 1.0;
  AttentionSpec attention;
  std::optional<DeltaNetSpec> delta_net;  // in some layers; none: every layer attends
  RouterSpec router;
  std::int64_t expert_width = 0;                // inner size of one expert
  std::optional<ClampedSwiglu> clamped_swiglu;  // experts of core/model/clamped_mlp.h in place of gated MLPs
  bool packed_experts = false;                  // their matrices are stored, and kept, in MXFP4
  std::int64_t shared_width = 0;      // inner size of the expert that every token visits; 0: there is none
  bool has_shared_gate = false;       // its output is multiplied by sigmoid(gate x)
  std::int64_t dense_width = 0;       // inner size of a dense layer's MLP; 0 where there is none
  std::vector<bool> is_moe_layer;     // [layers]
  std::vector<std::int64_t> eos_ids;  // tokens that end a generation
  // Layers that the checkpoint holds beyond `layers` to predict further tokens; they are not run.
  std::int64_t prediction_layers = 0;

  bool is_delta_layer(std::int64_t layer) const {
    return delta_net && delta_net->layers.at(static_cast<std::size_t>(layer));
  }
  std::int64_t delta_layers() const;
  std::int64_t attention_layers() const { return layers - delta_layers(); }
};

// Tensor names of one layer in the published layout.
struct LayerNames {
  std::string input_norm, post_attention_norm;
  std::string query, key, value, output;  // without ".weight" / ".bias"
  std::string query_norm, key_norm;
  std::string sinks;  // the whole name
  // Attention over latents; without ".weight" / ".bias".
  std::string query_down, query_latent_norm, query_up;
  std::string latent_down, latent_norm, latent_up;
  std::string delta_net;                  // <delta_net>.<in_proj_qkvz.weight|A_log|..>
  std::string router;                     // without ".weight" / ".bias"
  std::string router_selection_bias;      // the whole name
  std::string experts;                    // one tensor an expert: <experts>.<e>.<gate|up|down>.weight
  std::string fused_gate_up, fused_down;  // fused: [experts, 2 width, hidden], [experts, hidden, width]
  std::string expert_gate, expert_up, expert_down;  // the three names inside an expert
  std::string dense_mlp;
  std::string shared_experts;  // <shared_experts>.<gate|up|down>.weight
  std::string shared_gate;     // without ".weight"
};

// A model family: one file in core/model/families defines `Family family_<file name>()`; nothing else is
// edited.
struct Family {
  std::string model_type;
  // Reads config.json. Throws FileError naming `where` and the field.
  ModelSpec (*parse)(const Json& config, const std::string& where) = nullptr;
  LayerNames (*layer_names)(std::int64_t layer) = nullptr;
  // Tensors that a published checkpoint holds and the decoder does not use; null: none.
  bool (*is_unused)(const ModelSpec& spec, const std::string& tensor) = nullptr;
  // Endings of the tensors that transformers keeps in float32 in a model of a narrower type.
  std::vector<std::string_view> float_tensors = {};
};

// All families, sorted by model_type.
const std::vector<Family>& families();

// The family of a config's model_type. Throws FileError listing the supported ones.
const Family& family_of(const Json& config, const std::string& where);

// The spec of a config of any family, checked: a routing that is possible, positive sizes of the MLPs that
// there are. Throws FileError naming `where`.
ModelSpec parse_spec(const Json& config, const std::string& where);

// Reads and checks a model directory's config.json (or the path of such a file).
ModelSpec read_spec(const std::filesystem::path& model_dir);

// Total parameters and those used for one token (top-k experts of each layer), embeddings counted once if
// tied.
struct ParameterCount {
  std::int64_t total = 0;
  std::int64_t active = 0;
  std::int64_t packed = 0;  // of the total in MXFP4, whatever the dtype of the rest
};
ParameterCount count_parameters(const ModelSpec& spec);

// --- for the families' own files ---

// A whole number above zero; `fallback` where the config has none (or null). Throws FileError naming the
// field when it is missing without a fallback, or is not positive.
std::int64_t positive_size(const Json& config, const char* key, const std::string& where,
                           std::optional<std::int64_t> fallback = std::nullopt);

// The fields that Llama-shaped configs share. Throws FileError on a missing field, a zero or negative size,
// an unknown activation (only silu), or a rope type other than the default and those of `rope_types`.
ModelSpec parse_common(const Json& config, const std::string& where,
                       std::initializer_list<std::string_view> rope_types = {"default"});
LayerNames common_layer_names(std::int64_t layer);

// Which layers hold experts by Qwen's rule, [layers]: every decoder_sparse_step-th but those of
// mlp_only_layers. Throws FileError naming `where` and the field.
std::vector<bool> read_sparse_layers(const Json& config, std::int64_t layers, const std::string& where);

// Whether a tensor belongs to one of the spec's prediction_layers, which are numbered on from the last layer.
bool is_prediction_layer(const ModelSpec& spec, const std::string& tensor);

}  // namespace moelab::model
