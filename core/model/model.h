// A decoder with its weights: loaded from a Hugging Face directory, run layer by layer over packed rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/model/clamped_mlp.h"
#include "core/model/delta_net.h"
#include "core/model/latent_attention.h"
#include "core/model/layout.h"
#include "core/model/parts.h"
#include "core/model/spec.h"

namespace moelab::model {

struct LoadOptions {
  at::Device device = at::kCPU;         // where the weights live and the model runs
  std::optional<at::ScalarType> dtype;  // compute type; none: float32 on the CPU, the checkpoint's elsewhere
  bool check_finite = true;             // look at every weight for NaN and infinity
};

struct MoeWeights {
  RouterWeights router;
  std::vector<MlpWeights> experts;  // a table of views; one tensor an expert is used where it lies
  std::vector<ClampedMlpWeights> clamped_experts;  // in their place where the spec has a clamped SwiGLU
  std::optional<MlpWeights> shared;                // the expert that every token visits
  at::Tensor shared_gate;                          // [1, hidden]; undefined: the shared expert counts in full
};

struct LayerWeights {
  at::Tensor input_norm, post_attention_norm;
  AttentionWeights attention;     // undefined tensors where one of the next two stands in its place
  LatentAttentionWeights latent;  // with AttentionSpec::latent
  std::optional<DeltaNetWeights> delta_net;
  std::variant<MlpWeights, MoeWeights> mlp;
  at::Tensor input_norm_bias, post_attention_norm_bias;  // undefined without NormKind::layer
};

struct ModelWeights {
  at::Tensor embedding;  // [vocab, hidden]
  std::vector<LayerWeights> layers;
  at::Tensor final_norm;
  at::Tensor head;             // [vocab, hidden]; the embedding itself when tied
  at::Tensor final_norm_bias;  // undefined without NormKind::layer
  at::Tensor head_bias;        // [vocab], or undefined
};

// What the router stage did in one layer of one pass; ids and weights as the experts consumed them.
struct LayerCapture {
  std::int64_t layer = 0;
  Routing routing;
};

// What one pass over layers should do besides the plain computation.
struct PassOptions {
  const std::vector<LayerSteering>* steering = nullptr;  // [layers]; null: none
  at::Tensor plan_of_token;                              // [copies * tokens] int64, with steering
  at::Tensor effects;                                    // [layers, plans, kEffectColumns], or undefined
  // Of a pass over one layer: the rows that go on behind its attention, [more copies * tokens] int64, so that
  // copies that differ from here on share it. plan_of_token is theirs.
  at::Tensor forked_rows = {};
  std::vector<LayerCapture>* captures = nullptr;  // filled in layer order when not null
  KvCache* cache = nullptr;                       // then the layout is the cache's
  RecurrentPass* recurrent = nullptr;             // with a cache, where spec().delta_net is set
  // Called with what the router and the experts of each MoE layer read, [copies * tokens, hidden].
  std::function<void(std::int64_t layer, const at::Tensor& input)> moe_input = {};
};

class Model {
 public:
  // Throws FileError naming the file and tensor: missing or extra tensors, shapes that contradict the config,
  // an unsupported dtype, NaN.
  static Model load(const std::filesystem::path& directory, const LoadOptions& options = {});
  Model(ModelSpec spec, ModelWeights weights);

  const ModelSpec& spec() const { return spec_; }
  const ModelWeights& weights() const { return weights_; }
  // For experiments on the weights themselves, such as deliberately wrong variants in tests.
  ModelSpec& mutable_spec() { return spec_; }
  at::Device device() const { return weights_.embedding.device(); }
  at::ScalarType dtype() const { return weights_.embedding.scalar_type(); }

  // tokens [rows] int64 -> [rows, hidden], as the table holds them: a multiplier is the first layer's.
  at::Tensor embed(const at::Tensor& tokens) const;

  // Runs layers first .. last-1 on hidden [copies * layout.tokens, hidden]. Layer 0 takes what `embed` gives.
  // Throws Error when rows are forked in a pass over several layers.
  at::Tensor run_layers(at::Tensor hidden, const Layout& layout, std::pair<std::int64_t, std::int64_t> range,
                        const PassOptions& pass = {}) const;

  // What one expert of a MoE layer makes of x [rows, hidden], before any routing weight: [rows, hidden].
  at::Tensor expert(std::int64_t layer, std::int64_t expert, const at::Tensor& x) const;

  // Final norm and head: hidden [rows, hidden] -> logits [rows, vocab].
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const;
  struct Tables;
  at::Tensor mix(const at::Tensor& x, std::int64_t layer, const Tables& tables,
                 const PassOptions& pass) const;
  at::Tensor run_mlp(const at::Tensor& x, std::int64_t layer, const PassOptions& pass) const;

  ModelSpec spec_;
  ModelWeights weights_;
};

}  // namespace moelab::model
