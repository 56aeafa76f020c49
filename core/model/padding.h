// Packed rows to the padded grid that attention works on, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/layout.h"

namespace moelab::model {

// Packed [copies * tokens, heads, dim] to padded [sequences, copies * heads, width, dim]. The copies stand in
// the head dimension, so that one mask a sequence serves all of them by broadcasting.
at::Tensor pad(const at::Tensor& x, const Layout& layout);

// The way back: padded [sequences, copies * heads, width, dim] to packed [copies * tokens, heads * dim].
at::Tensor unpad(const at::Tensor& y, std::int64_t copies, const Layout& layout);

}  // namespace moelab::model
