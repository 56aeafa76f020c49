#include "core/model/recurrent_state.h"

namespace moelab::model {

std::int64_t state_bytes(const ModelSpec& spec, at::ScalarType dtype) {
  if (!spec.delta_net) return 0;
  const DeltaNetSpec& net = *spec.delta_net;
  const std::int64_t tail =
      (net.kernel - 1) * net.conv_width() * static_cast<std::int64_t>(c10::elementSize(dtype));
  const std::int64_t memory =
      net.value_heads * net.key_dim * net.value_dim * static_cast<std::int64_t>(c10::elementSize(at::kFloat));
  return spec.delta_layers() * (tail + memory);
}

RowStates copy_states(const RowStates& states) {
  RowStates copies = states;
  for (RecurrentState& state : copies)
    if (state.memory.defined()) state = {state.tail.clone(), state.memory.clone()};
  return copies;
}

}  // namespace moelab::model
