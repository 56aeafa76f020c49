// The trainable weights: leaves for autograd under their published names, over two flat buffers for the optimiser.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model.h"
#include "core/train/flat_leaves.h"
#include "core/train/options.h"

namespace moelab::train {

class Parameters {
 public:
  // A new model: normal draws named by (seed, tensor name), see InitOptions; norms are ones.
  static Parameters initialise(const model::ModelSpec& spec, const InitOptions& init, std::uint64_t seed);

  // A saved model, one tensor an expert. Throws FileError (see model::Checkpoint).
  static Parameters load(const std::filesystem::path& model_dir);

  const model::ModelSpec& spec() const { return spec_; }
  const std::vector<std::pair<std::string, at::Tensor>>& named() const { return leaves_.named; }

  // [0] matrices, which decay; [1] norm weights.
  std::vector<FlatGroup>& groups() { return leaves_.groups; }
  const std::vector<FlatGroup>& groups() const { return leaves_.groups; }

  // Gradients only for the weights whose name passes; the others stay as they are. Resets all gradients.
  void train_only(const std::function<bool(const std::string&)>& wanted);

  // A model over these very tensors: it sees every step of the optimiser.
  model::Model model() const;

 private:
  explicit Parameters(const model::ModelSpec& spec);

  model::ModelSpec spec_;
  FlatLeaves leaves_;
};

}  // namespace moelab::train
