// The rotary position embedding: cosines and sines for the rows of a pass, and the rotation itself.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/layout.h"
#include "core/model/spec.h"

namespace moelab::model {

// Cosines and sines, [tokens, rotary_dim] float32 each: as the pairs lie, so that both dimensions of a pair
// hold the same number.
struct Rotation {
  at::Tensor cosine;
  at::Tensor sine;
  RotaryPairs pairs = RotaryPairs::half;
};

// Whether sequences of these two lengths are rotated by different frequencies. A row of a KV cache that grows
// from one to the other has to be read anew: its keys were rotated by those of its earlier length.
bool rotation_changes(const AttentionSpec& spec, std::int64_t from, std::int64_t to);

// For the rows of one copy. With scaled frequencies of two lengths each sequence takes those of its own
// (Layout::lengths).
Rotation make_rotation(const AttentionSpec& spec, const Layout& layout);

// Rotates the first rotary_dim dimensions of x [tokens, heads, head_dim] and leaves the rest.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

}  // namespace moelab::model
