// A loaded model whose chosen weights are trained, whole or through a low-rank adapter; all others stay as
// they are.
//
// The weights that a pass uses are formed from the frozen ones and the trained leaves, layer by layer, so
// that the decoder itself knows nothing of training, and a model for evaluation is one with the changes
// merged.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/assemble.h"
#include "core/train/flat_leaves.h"
#include "core/train/lora.h"

namespace moelab::train {

struct TuneOptions {
  std::string kind = "lora";  // lora, or full: the weights themselves, for small models
  LoraOptions lora;           // of kind lora
  // Patterns on the published names of weights, see fits_pattern. None: attention and experts for lora, all
  // for full.
  std::vector<std::string> targets;
  bool router = false;     // patterns may name routers too
  std::uint64_t seed = 1;  // of the factors' first values
};

class TunedModel {
 public:
  // Throws ConfigError for a target that fits no weight, FileError as model::Model::load. An adapter starts
  // as the model itself: `a` uniform within +-1 / sqrt(inputs), as PEFT draws it, and `b` zero.
  static TunedModel load(const std::filesystem::path& model_dir, const TuneOptions& options,
                         const model::LoadOptions& load = {});

  // The model with an adapter in place of a new one.
  static TunedModel load(const std::filesystem::path& model_dir, std::vector<LoraSite> sites,
                         const model::LoadOptions& load = {});

  const model::ModelSpec& spec() const { return spec_; }
  const std::vector<LoraSite>& sites() const { return sites_; }                  // empty for kind full
  const std::map<std::string, at::Tensor>& weights() const { return weights_; }  // before training
  FlatLeaves& leaves() { return leaves_; }
  const FlatLeaves& leaves() const { return leaves_; }
  // The weights of one layer, or with -1 those outside the layers, that training changes, as they are now.
  using Values = std::map<std::string, at::Tensor>;
  Values changed(std::int64_t layer) const;
  std::int64_t trained() const;  // weights that are trained
  std::int64_t total() const;    // weights of the model, without an adapter's own
  at::Device device() const { return options_.device; }

  // The weights as they are now; differentiable in the leaves unless gradients are off.
  model::ModelWeights ends() const;  // without layers
  model::LayerWeights layer(std::int64_t layer) const;
  model::Model model() const;  // with all of them

  // The model with the changes merged, without gradients. Weights that are trained whole may
  // share the leaves' memory, and then follow further training.
  model::Model merged() const;

 private:
  TunedModel(const std::filesystem::path& model_dir, const model::LoadOptions& load);
  void read_weights(const std::filesystem::path& model_dir);
  // Checks names, shapes and values, once. Throws FileError, for surplus tensors too.
  void require_fitting() const;
  void keep(const std::string& name, const at::Tensor& tensor);
  void add_sites(std::vector<LoraSite> sites);
  void tune_whole(const TuneOptions& options);
  // The weights with `values`, which must outlive it, in their places.
  model::TensorSource source(const Values& values) const;

  std::string model_dir_;  // for messages
  model::ModelSpec spec_;
  model::LoadOptions options_;
  Values weights_;  // frozen, by name; experts one by one
  std::vector<LoraSite> sites_;
  std::map<std::int64_t, std::vector<std::size_t>> sites_of_;  // [layer or -1]: indices into sites_
  std::map<std::int64_t, std::vector<std::size_t>> whole_of_;  // [layer or -1]: leaves that stand for weights
  FlatLeaves leaves_;
};

// SHA-256 over what training has made: names, factors or weights, scalings and orientations. Equal for equal
// models.
std::string trained_digest(const TunedModel& tuned);

}  // namespace moelab::train
