// A decoder's parts from tensors by their published names, wherever these lie: in a file, or changed by
// training.
#pragma once

#include <functional>
#include <string>

#include "core/model/model.h"
#include "core/model/safetensors.h"

namespace moelab::model {

// Tensors under the names and in the shapes that a published checkpoint has.
struct TensorSource {
  std::string where;  // for messages: the model's directory
  std::function<bool(const std::string& name)> contains;
  std::function<at::Tensor(const std::string& name)> tensor;  // throws FileError for an unknown name
};

// The tensors of a checkpoint, which must outlive the source.
TensorSource source_of(const Checkpoint& checkpoint);

// Embedding, final norm and head; `layers` has an empty entry for each layer. Like the next, it throws
// FileError as Model::load does, and passes gradients on to the source's tensors.
ModelWeights assemble_ends(const ModelSpec& spec, const TensorSource& source, const LoadOptions& options);

// One layer.
LayerWeights assemble_layer(const ModelSpec& spec, std::int64_t layer, const TensorSource& source,
                            const LoadOptions& options);

}  // namespace moelab::model
