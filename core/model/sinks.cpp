#include "core/model/sinks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace moelab::model {
namespace {

// Fused attention kernels want the head size in steps of eight.
constexpr std::int64_t kAdded = 8;

}  // namespace

// The sink becomes one more key, so that any attention kernel, and its backward, can be used: queries get a
// further dimension of 1, in which the keys of tokens have 0 and the sink's key has its logit over the scale.
// Its value is zero.
at::Tensor attend_with_sinks(const at::Tensor& query, const KvCache::Read& seen, const at::Tensor& sinks,
                             const at::Tensor& mask, std::optional<double> scale) {
  const std::int64_t sequences = query.size(0), heads = query.size(1), width = query.size(2),
                     dim = query.size(3), read_width = seen.keys.size(2);
  const double factor = scale.value_or(1.0 / std::sqrt(static_cast<double>(dim)));
  const std::int64_t group = heads / seen.keys.size(1);
  const auto shared = [&](const at::Tensor& x) { return group == 1 ? x : x.repeat_interleave(group, 1); };

  at::Tensor flag = at::zeros({kAdded}, query.options());
  flag.narrow(0, 0, 1).fill_(1.0);
  const at::Tensor queries = at::cat({query, flag.expand({sequences, heads, width, kAdded})}, -1);

  at::Tensor sink = at::zeros({heads, dim + kAdded}, query.options());
  sink.select(1, dim).copy_((sinks / factor).repeat({heads / sinks.size(0)}));
  const at::Tensor keys = at::cat({at::constant_pad_nd(shared(seen.keys), {0, kAdded}),
                                   sink.view({1, heads, 1, -1}).expand({sequences, heads, 1, dim + kAdded})},
                                  2);
  const at::Tensor values = at::constant_pad_nd(shared(seen.values), {0, kAdded, 0, 1});

  const auto bools = query.options().dtype(at::kBool);
  const at::Tensor visible = mask.defined() ? mask : at::ones({1, 1, width, read_width}, bools).tril();
  const at::Tensor visible_and_sink = at::cat({visible, at::ones({visible.size(0), 1, width, 1}, bools)}, -1);
  return at::scaled_dot_product_attention(queries, keys, values, visible_and_sink, /*dropout_p=*/0.0,
                                          /*is_causal=*/false, factor)
      .narrow(-1, 0, dim);
}

}  // namespace moelab::model
