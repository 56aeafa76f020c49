// The rotary position embedding: cosines and sines for the rows of a pass, and the rotation itself.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/layout.h"
#include "core/model/spec.h"

namespace moelab::model {

// Cosines and sines of the half-rotation, [tokens, head_dim] float32 each (the two halves repeat).
struct Rotation {
  at::Tensor cosine;
  at::Tensor sine;
};

// For the rows of one copy. With scaled frequencies of two lengths each sequence takes those of its own
// length (its longest branch counts). Throws Error when rows of a KV cache cross that length: their earlier
// keys were rotated by the short frequencies, so they have to be read anew from the first token.
Rotation make_rotation(const AttentionSpec& spec, const Layout& layout);

// Rotates x [tokens, heads, head_dim]: pairs (i, i + head_dim / 2).
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);

}  // namespace moelab::model
