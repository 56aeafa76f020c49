// Which weights of a model training may change, by published name, and which of them a list of targets picks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/spec.h"
#include "core/train/tuned_model.h"

namespace moelab::train {

// The layer that a tensor's name belongs to; -1 outside the layers.
std::int64_t layer_of(const std::string& name);

// Whether the tensor is a router's weight or bias.
bool is_router(const model::ModelSpec& spec, const std::string& name);

// The tensors of a model by name; what its fused parameters hold stands there one tensor an expert, under
// fused_parts, except for families whose experts are fused in memory too.
using NamedTensors = std::map<std::string, at::Tensor>;

// A fused parameter of one layer and the tensors that it stands for, as LoraSite has them.
struct FusedParameter {
  std::string name;
  std::vector<std::vector<std::string>> tensors;
  std::vector<std::int64_t> shape;  // [experts, rows, columns]
  bool is_transposed = false;       // multiplied from the left: [experts, in, out]
};

// The two of a layer (gate and up, down); none for a dense layer or packed experts.
std::vector<FusedParameter> fused_parameters(const model::ModelSpec& spec, std::int64_t layer);

// The sites of a new adapter, without factors. Throws ConfigError naming the target that fits no projection.
std::vector<LoraSite> choose_sites(const model::ModelSpec& spec, const NamedTensors& weights,
                                   const TuneOptions& options);

// The names of the weights to train whole. Throws ConfigError likewise.
std::vector<std::string> choose_weights(const model::ModelSpec& spec, const NamedTensors& weights,
                                        const TuneOptions& options);

}  // namespace moelab::train
