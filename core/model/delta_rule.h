// The gated delta rule (arXiv 2412.06464, Eq. 10): a state that fades, takes out what it held for a key, and
// writes the key's new value.
#pragma once

#include <ATen/core/Tensor.h>

namespace moelab::model {

// Runs of equal length, all tensors float32. A token with beta 0 and log decay 0 leaves the state as it is,
// so shorter runs are padded with zeros.
struct DeltaRuns {
  at::Tensor query, key;  // [runs, heads, tokens, key_dim]
  at::Tensor value;       // [runs, heads, tokens, value_dim]
  at::Tensor log_decay;   // [runs, heads, tokens], at most 0: the state fades by its exponential
  at::Tensor beta;        // [runs, heads, tokens], 0 to 1: how much of the new value is written
  at::Tensor state;       // [runs, heads, key_dim, value_dim] before the first token
};

struct DeltaResult {
  at::Tensor out;    // [runs, heads, tokens, value_dim]
  at::Tensor state;  // after the last token
};

// For each token: S = e^log_decay S; S = S + k^T beta (v - k S); out = q S. Runs of more than one token are
// computed in chunks of at most 64 (section 3.3 of the paper). Differentiable in all inputs.
DeltaResult gated_delta_rule(const DeltaRuns& runs);

}  // namespace moelab::model
