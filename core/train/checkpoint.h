// The state of a training run in one safetensors file: enough to go on as if it had never stopped.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/train/optimizer.h"

namespace moelab::train {

// Tensors by name; reading writes into them.
using TrainingState = std::vector<std::pair<std::string, at::Tensor>>;

// The weights of the groups and the optimiser's moments.
TrainingState state_of(std::vector<FlatGroup>& groups, AdamW& optimizer);

// Writes the state atomically. `run` names the run: any text that changes when an option changes that
// matters.
void write_checkpoint(const std::filesystem::path& path, const TrainingState& state, const std::string& run);

// Throws FileError when the file is damaged or belongs to another run; the state is then partly overwritten.
void read_checkpoint(const std::filesystem::path& path, const TrainingState& state, const std::string& run);

}  // namespace moelab::train
