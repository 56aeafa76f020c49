// What makes outputs of experts comparable: their Gram matrix as a unit vector, whose dot products are linear
// CKA.
#pragma once

#include <ATen/core/Tensor.h>

namespace moelab::engine {

// One expert's outputs [tokens, width] as the unit vector [tokens * tokens] of their centred Gram matrix, in
// float32 and differentiable. The dot product of two is their linear CKA (Kornblith et al., ICML 2019, arXiv
// 1905.00414): with K = X X^T of the outputs X less their column means, and L that of the other's,
//   CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) = <K, L> / (|K| |L|),
//   HSIC(K, L) = <K, L> / (tokens - 1)^2.
// In [0, 1]; 1 for outputs that are equal up to rotation, scale and shift. Outputs that are the same at every
// token, but for rounding, have none: their vector, and so their CKA, is zero.
at::Tensor unit_gram(const at::Tensor& outputs);

}  // namespace moelab::engine
