// Adapters in the directories of PEFT: adapter_config.json and adapter_model.safetensors, experts as single
// modules or as fused parameters (its `target_parameters`).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/train/tuned_model.h"

namespace moelab::train {

// Writes the adapter of a model tuned with one. `base_model` is its name or path, as the config will have it.
// Throws ConfigError for a model that is trained whole, FileError.
void save_adapter(const std::filesystem::path& directory, const TunedModel& tuned,
                  const std::string& base_model);

// The sites of an adapter for a model of this kind, with their factors in float32. A fused parameter's change
// may be stored for [rows, columns] or, by PEFT up to 0.17 and for weights that are multiplied from the left,
// the other way round. A square one, whose factors fit either way, is taken as another of the adapter that
// is not square, and if there is none as PEFT 0.21 stores it. Throws FileError naming file and key: another
// kind of adapter, an option that this reader does not know (DoRA, biases, further trained modules), a factor
// that is missing or does not fit, NaN.
std::vector<LoraSite> read_adapter(const std::filesystem::path& directory, const model::ModelSpec& spec);

}  // namespace moelab::train
