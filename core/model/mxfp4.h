// Weights in MXFP4: two 4-bit values a byte and one power of two for 32 values along a row, kept packed in
// memory (OCP Microscaling Formats 1.0).
#pragma once

#include <ATen/core/Tensor.h>

namespace moelab::model {

inline constexpr std::int64_t kMxfp4Group = 32;       // values that share a scale
inline constexpr std::int64_t kMxfp4GroupBytes = 17;  // 16 of values and one of scale

// What bytes stand for in the dtype of a run; one pair of tables serves all matrices of a model.
struct Mxfp4Tables {
  at::Tensor pairs;   // [256, 2] in the run's dtype: the values of the low and the high half of a byte
  at::Tensor powers;  // [256] float32: 2^(scale - 127); scale 255 stands for NaN
};
Mxfp4Tables make_mxfp4_tables(at::ScalarType dtype, at::Device device);

// The largest scale under which every 4-bit value is finite in `dtype`.
std::int64_t largest_mxfp4_scale(at::ScalarType dtype);

struct Mxfp4Matrix {
  at::Tensor blocks;  // [rows, columns / 32, 16] uint8; byte j of a group holds its values 2 j and 2 j + 1
  at::Tensor scales;  // [rows, columns / 32] uint8
  Mxfp4Tables tables;
};

// [rows, columns] in the dtype of the tables: on the CPU in one pass over the bytes, on all threads.
at::Tensor unpack(const Mxfp4Matrix& matrix);

// The same bits from tensor operations alone, as `unpack` makes them on other devices.
at::Tensor unpack_by_tensors(const Mxfp4Matrix& matrix);

// x [tokens, columns] -> x times the transposed matrix, [tokens, rows]. For the backward pass autograd keeps
// the packed bytes and unpacks them again; only x gets a gradient.
at::Tensor packed_linear(const at::Tensor& x, const Mxfp4Matrix& matrix);

}  // namespace moelab::model
