// What the layers with a recurrent state (see delta_net.h) remember of a row: see docs/recurrent_state.md.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/model/spec.h"

namespace moelab::model {

// Of one layer; the tensors are never changed in place.
struct RecurrentState {
  at::Tensor tail;    // [.., kernel - 1, conv_width]: what the convolution's last tokens were given
  at::Tensor memory;  // [.., value_heads, key_dim, value_dim] float32
};

// Of one row: [layers], undefined tensors in layers that attend. Empty before its first token, and in models
// without such layers.
using RowStates = std::vector<RecurrentState>;

// Bytes of one row's states over all layers; 0 for a model without them.
std::int64_t state_bytes(const ModelSpec& spec, at::ScalarType dtype);

// The same states in tensors of their own, which keep no batch alive that they were made in.
RowStates copy_states(const RowStates& states);

}  // namespace moelab::model
