// A delta-net layer (Qwen3-Next): a short convolution, the gated delta rule, and a gated norm, in the place
// of attention.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/recurrent_order.h"
#include "core/model/recurrent_pass.h"
#include "core/model/spec.h"

namespace moelab::model {

struct DeltaNetWeights {
  at::Tensor qkvz;       // [2 key_width + 2 value_width, hidden]: of one key head after the other its query,
                         // key, values and gates
  at::Tensor ba;         // [2 value_heads, hidden]: of one key head after the other beta and step size
  at::Tensor conv;       // [conv_width, kernel]: queries, keys and values; the newest token last
  at::Tensor log_rate;   // [value_heads]: ln of the decay rate (A_log)
  at::Tensor step_bias;  // [value_heads] (dt_bias)
  at::Tensor norm;       // [value_dim]
  at::Tensor output;     // [hidden, value_width]
};

// One layer's share of a pass with a cache.
struct LayerStates {
  RecurrentPass* pass = nullptr;
  std::int64_t layer = 0;
};

// Over packed rows: x [copies * tokens, hidden] -> the same shape. `order` is the layout's. With a pass in
// `states` the layout is a cache's: the rows go on from the states that they hold, and the new ones are left
// in the pass; without one every sequence begins anew.
at::Tensor delta_net(const DeltaNetSpec& spec, double norm_eps, const DeltaNetWeights& weights,
                     const at::Tensor& x, const RecurrentOrder& order, const LayerStates& states = {});

}  // namespace moelab::model
