// Writes a tuned model as a directory of its own, with the layout of the model that it was made from.
#pragma once

#include <filesystem>

#include "core/train/tuned_model.h"

namespace moelab::train {

// A new model directory: the tensors of the checkpoint in `source`, which `tuned` was loaded from, under
// their names and in their types with the changes merged, and its config.json and tokenizer files. Throws
// FileError, also for a directory that is `source` itself.
void save_tuned_model(const std::filesystem::path& directory, const TunedModel& tuned,
                      const std::filesystem::path& source);

}  // namespace moelab::train
