#include "core/model/window.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tril.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace moelab::model {

Layout with_window(const Layout& layout, std::int64_t window) {
  const std::int64_t sequences = layout.sequences, width = layout.width;
  if (std::max(width, layout.read_width) <= window) return layout;
  // Padding stands at position 0: it sees what it saw, so its softmax stays defined.
  const auto options = layout.positions.options();
  const at::Tensor padded =
      at::zeros({sequences * width}, options).index_copy(0, layout.slots, layout.positions);
  const at::Tensor query = padded.view({sequences, 1, width, 1});
  // A cached sequence is read in the order of its positions.
  const at::Tensor key = layout.read_width > 0 ? at::arange(layout.read_width, options).view({1, 1, 1, -1})
                                               : padded.view({sequences, 1, 1, width});
  const at::Tensor seen =
      layout.mask.defined() ? layout.mask : at::ones({width, width}, options.dtype(at::kBool)).tril();
  Layout narrowed = layout;
  narrowed.mask = (query - key < window).logical_and(seen);
  return narrowed;
}

}  // namespace moelab::model
