// How packed token rows belong to sequences, so that only attention ever sees padding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace moelab::model {

// A sequence whose tail may branch: `tokens` positions run 0..trunk-1, and each branch continues at `trunk`,
// seeing the trunk and itself but no other branch.
struct SequenceShape {
  std::int64_t trunk = 0;
  std::vector<std::int64_t> branches;  // lengths
};

// Packed rows of several sequences: row r of sequence s is a real token; there is no padding outside
// attention. A forward pass may carry `copies` copies of these rows one after the other (one for each
// steering plan).
struct Layout {
  std::int64_t sequences = 0;
  std::int64_t width = 0;             // longest sequence
  std::int64_t tokens = 0;            // rows of one copy
  at::Tensor positions;               // [tokens] int64
  at::Tensor slots;                   // [tokens] int64: row of the padded [sequences * width] grid
  at::Tensor mask;                    // [sequences, 1, width, width] bool, or undefined: plain causal
  bool is_dense = false;              // every sequence has `width` tokens: slots is the identity
  std::vector<SequenceShape> shapes;  // [sequences]; with a KV cache of the new tokens alone
  std::vector<std::int64_t> lengths;  // [sequences]: tokens up to the end of the longest branch, and those
                                      // that a row of a KV cache is known to get; they choose the rotation

  // With a KV cache (see KvCache::layout); then one copy, and the mask is [sequences, 1, width, read_width].
  std::int64_t read_width = 0;  // most tokens that a sequence has, those of earlier passes included
  at::Tensor write_slots;       // [tokens] int64: where the cache keeps each new token
  at::Tensor read_slots;        // [sequences * read_width] int64: where it keeps each sequence's tokens
};

Layout make_layout(std::span<const SequenceShape> shapes, at::Device device);

// Plain sequences without branches.
Layout make_layout(std::span<const std::int64_t> lengths, at::Device device);

}  // namespace moelab::model
