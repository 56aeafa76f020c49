#include "core/model/delta_rule.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <limits>

namespace moelab::model {
namespace {

constexpr std::int64_t kChunk = 64;

DeltaResult one_step(const DeltaRuns& runs) {
  const at::Tensor faded = runs.state * runs.log_decay.exp().unsqueeze(-1);
  const at::Tensor change = (runs.value - at::matmul(runs.key, faded)) * runs.beta.unsqueeze(-1);
  const at::Tensor state = faded + at::matmul(runs.key.transpose(-1, -2), change);
  return {at::matmul(runs.query, state), state};
}

// [runs, heads, tokens, ..] to [runs, heads, chunks, size, ..], with zeros behind the last token.
at::Tensor in_chunks(const at::Tensor& x, std::int64_t size) {
  const std::int64_t missing = (size - x.size(2) % size) % size;
  std::vector<std::int64_t> widths(static_cast<std::size_t>(2 * (x.dim() - 2)), 0);
  widths.back() = missing;
  const at::Tensor padded = missing == 0 ? x : at::constant_pad_nd(x, widths, 0);
  return padded.unflatten(2, {-1, size});
}

// e^(c_i - c_j) for j <= i, and 0 above: [.., size, size] from the running sums c [.., size].
at::Tensor pairwise_decay(const at::Tensor& sums) {
  const std::int64_t size = sums.size(-1);
  const at::Tensor later = at::ones({size, size}, sums.options().dtype(at::kBool)).triu(1);
  // Above the diagonal the exponent is positive and may overflow.
  return (sums.unsqueeze(-1) - sums.unsqueeze(-2))
      .masked_fill(later, -std::numeric_limits<double>::infinity())
      .exp();
}

}  // namespace

DeltaResult gated_delta_rule(const DeltaRuns& runs) {
  const std::int64_t tokens = runs.key.size(2), value_dim = runs.value.size(3);
  if (tokens == 0) return {runs.value, runs.state};
  if (tokens == 1) return one_step(runs);
  const std::int64_t size = std::min(tokens, kChunk);
  const at::Tensor query = in_chunks(runs.query, size), key = in_chunks(runs.key, size);
  const at::Tensor beta = in_chunks(runs.beta, size).unsqueeze(-1);
  const at::Tensor sums = in_chunks(runs.log_decay, size).cumsum(-1);
  const at::Tensor decay = pairwise_decay(sums), since_start = sums.exp().unsqueeze(-1);
  const at::Tensor to_end = (sums.narrow(-1, size - 1, 1) - sums).exp().unsqueeze(-1);
  // The solver takes the diagonal for ones and does not read above it.
  const at::Tensor written = key * beta;
  const at::Tensor system = at::matmul(written, key.transpose(-1, -2)) * decay;
  const at::Tensor solved = at::linalg_solve_triangular(
      system, at::cat({in_chunks(runs.value, size) * beta, written * since_start}, -1),
      /*upper=*/false, /*left=*/true, /*unitriangular=*/true);
  const at::Tensor values = solved.narrow(-1, 0, value_dim);
  const at::Tensor keys = solved.narrow(-1, value_dim, key.size(-1));
  const at::Tensor within = at::matmul(query, key.transpose(-1, -2)) * decay;
  const at::Tensor from_state = query * since_start, into_state = (key * to_end).transpose(-1, -2);
  const at::Tensor over_chunk = sums.narrow(-1, size - 1, 1).exp().unsqueeze(-1);
  at::Tensor state = runs.state;
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < key.size(2); ++i) {
    const auto chunk = [i](const at::Tensor& x) { return x.select(2, i); };
    const at::Tensor fresh = chunk(values) - at::matmul(chunk(keys), state);
    out.push_back(at::matmul(chunk(from_state), state) + at::matmul(chunk(within), fresh));
    state = state * chunk(over_chunk) + at::matmul(chunk(into_state), fresh);
  }
  return {at::cat(out, 2).narrow(2, 0, tokens), state};
}

}  // namespace moelab::model
