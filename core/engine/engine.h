// The engine: a loaded model that scores continuations, traces routing and gives gradients, in batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/steering/compile.h"

namespace moelab::engine {

struct EngineOptions {
  std::string device = "cpu";  // "cpu", "cuda" or "cuda:N"
  std::string dtype =
      "auto";  // auto (float32 on the CPU, the checkpoint's elsewhere), float32, bfloat16, float16
  std::int64_t batch_tokens = 8192;  // token rows in one pass, over all plans
  std::int64_t logit_rows = 2048;    // rows of vocabulary logits held at once
  std::int64_t threads = 0;          // CPU threads; 0: all cores
  double cache_gib = 0;              // of KV cache while generating; 0: most of the free memory
  bool check_weights = true;         // look for NaN and infinity at load
};

using Tokens = std::vector<std::int32_t>;

// A prompt and the continuations whose log-probabilities are asked for.
struct ScoreItem {
  Tokens prompt;                // at least one token
  std::vector<Tokens> options;  // each at least one token
};

// log_probabilities[plan][option]: sum over the option's tokens of ln p(token | prompt, earlier option
// tokens).
struct ScoreResult {
  std::vector<std::vector<double>> log_probabilities;
};

struct ScoreReport {
  std::vector<ScoreResult> items;         // in the order of the input
  std::vector<steering::Effect> effects;  // [plans] over all items; entry 0 (the original) is empty
  std::int64_t prompt_tokens = 0;         // tokens of all items, prompts and options, once
  std::int64_t forward_tokens = 0;        // token rows that really passed the model, by plan
};

// Called after each batch with the number of (item, plan) samples done so far.
using Progress = std::function<void(std::int64_t samples)>;

// The routing of one sequence in one layer: logits [tokens, experts], ids and weights [tokens, top_k], on the
// CPU.
struct SequenceTrace {
  std::vector<model::LayerCapture> layers;  // MoE layers in order
};

// A sequence and the positions whose prediction counts as loss.
struct GradientItem {
  Tokens tokens;
  std::int64_t loss_from = 1;  // the loss is the mean of -ln p(tokens[i] | before) over i >= loss_from
};

// A token of a list of sequences.
struct TokenPlace {
  std::size_t sequence = 0;
  std::int64_t position = 0;
};

// What the router and the experts of one MoE layer read at some tokens.
struct MoeInput {
  std::int64_t layer = 0;
  at::Tensor rows;  // [tokens, hidden] in the model's dtype, on its device
};

struct GradientResult {
  double loss = 0;
  at::Tensor gradient;   // [tokens, hidden] d loss / d embedding, float32 on the CPU
  at::Tensor embedding;  // [tokens, hidden]
};

class Engine {
 public:
  // Loads the model. Throws FileError (see Model::load) or ConfigError (device, dtype).
  static Engine load(const std::filesystem::path& model_dir, const EngineOptions& options);
  Engine(model::Model model, EngineOptions options);

  const model::Model& model() const { return model_; }
  const model::ModelSpec& spec() const { return model_.spec(); }
  const EngineOptions& options() const { return options_; }

  // Scores every item under the original model and under each plan, all plans in one batch: one pass when
  // every option is one token; otherwise the common prompt once and the options packed behind it. Layers
  // below the first steered one are computed once for all plans. Equal to one full pass an option. Throws
  // Error naming item and layer on NaN, or when a plan was not applied.
  ScoreReport score(std::span<const ScoreItem> items, std::span<const steering::Plan> plans,
                    const Progress& progress = {}) const;

  // Routing of each sequence by token and layer, as the experts consumed it. `plan` may be empty (the
  // original).
  std::vector<SequenceTrace> trace(std::span<const Tokens> sequences, const steering::Plan& plan = {}) const;

  // Logits [tokens, vocab] of each sequence, float32 on the CPU.
  std::vector<at::Tensor> logits(std::span<const Tokens> sequences, const steering::Plan& plan = {}) const;

  // What each MoE layer reads at `places`, in their order; sequences without a place are not run. Throws
  // Error on a place outside the sequences.
  std::vector<MoeInput> moe_inputs(std::span<const Tokens> sequences,
                                   std::span<const TokenPlace> places) const;

  // Gradients of each item's own mean loss; no gradient of any weight is made, and neither padding nor the
  // other items of a batch change a result beyond rounding.
  std::vector<GradientResult> gradients(std::span<const GradientItem> items) const;

 private:
  model::Model model_;
  EngineOptions options_;
};

// The device of EngineOptions::device. Throws ConfigError when the build or the machine lacks it.
at::Device parse_device(const std::string& name);
std::optional<at::ScalarType> parse_dtype(const std::string& name);

}  // namespace moelab::engine
