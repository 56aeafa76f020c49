// The order in which a recurrent layer reads the packed rows of a layout: trunks first, then their branches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/model/layout.h"

namespace moelab::model {

// Runs that are read side by side, padded to the longest.
struct RunGrid {
  std::int64_t runs = 0;
  std::int64_t width = 0;    // of the longest run
  at::Tensor rows;           // [tokens] int64: packed rows of the runs' tokens, run after run
  at::Tensor slots;          // [tokens] int64: their rows in the padded [runs * width] grid
  at::Tensor parents;        // [runs] int64: the trunk in whose last state a branch begins; trunks: undefined
  bool is_identity = false;  // these runs are all there is, and rows and slots are both 0, 1, 2, ..
};

struct RecurrentOrder {
  RunGrid trunks;    // one for each sequence
  RunGrid branches;  // runs 0: no sequence has more than one branch
  at::Tensor
      places;  // [tokens] int64: where a packed row stands in the trunks' rows with the branches' behind
  // For a convolution over `kernel` tokens: rows of [sequences * (kernel - 1) carried rows; packed rows].
  std::vector<at::Tensor> earlier;  // [kernel - 1] of [tokens] int64: the token kernel - 1, .., 1 before, on
                                    // its own path
  at::Tensor tails;                 // [sequences * (kernel - 1)] int64: what the trunks carry on
};

RecurrentOrder make_recurrent_order(const Layout& layout, std::int64_t kernel);

}  // namespace moelab::model
