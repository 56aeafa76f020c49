#include "core/model/delta_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/model/delta_rule.h"
#include "core/model/parts.h"

namespace moelab::model {
namespace {

constexpr double kLengthEps = 1e-6;  // of the published implementation, whatever the norms' eps

// The two projections of x, split by what they are for.
struct Projected {
  at::Tensor mixed;       // [rows, conv_width]: queries, keys, values of all heads
  at::Tensor gate;        // [rows, value_heads, value_dim]
  at::Tensor beta, step;  // [rows, value_heads]
};

Projected project_parts(const DeltaNetSpec& spec, const DeltaNetWeights& weights, const at::Tensor& x) {
  const std::int64_t rows = x.size(0), ratio = spec.value_heads / spec.key_heads;
  const std::int64_t values = ratio * spec.value_dim;
  const auto qkvz = at::linear(x, weights.qkvz)
                        .view({rows, spec.key_heads, -1})
                        .split_with_sizes({spec.key_dim, spec.key_dim, values, values}, -1);
  const auto ba = at::linear(x, weights.ba).view({rows, spec.key_heads, 2, ratio}).unbind(2);
  return {at::cat({qkvz[0].flatten(1), qkvz[1].flatten(1), qkvz[2].flatten(1)}, -1),
          qkvz[3].reshape({rows, spec.value_heads, spec.value_dim}), ba[0].flatten(1), ba[1].flatten(1)};
}

// Each channel over the last tokens of its own path, then silu. source [copies, carried + tokens, width] ->
// [copies, tokens, width]; summed in float32 and rounded once.
at::Tensor convolve(const at::Tensor& source, const at::Tensor& taps, const RecurrentOrder& order) {
  const at::Tensor wide = source.to(at::kFloat), weight = taps.to(at::kFloat);
  const auto reach = static_cast<std::int64_t>(order.earlier.size()), tokens = order.places.size(0);
  at::Tensor sum = wide.narrow(1, source.size(1) - tokens, tokens) * weight.select(1, reach);
  for (std::int64_t i = 0; i < reach; ++i)
    sum = sum + wide.index_select(1, order.earlier[static_cast<std::size_t>(i)]) * weight.select(1, i);
  return at::silu(sum.to(source.scalar_type()));
}

// Queries or keys of length one, in float32, each for the value heads that it serves:
// [rows, key_heads * key_dim] -> [rows, value_heads, key_dim].
at::Tensor unit_heads(const DeltaNetSpec& spec, const at::Tensor& x) {
  const at::Tensor wide = x.view({x.size(0), spec.key_heads, spec.key_dim}).to(at::kFloat);
  const at::Tensor unit = wide * at::rsqrt((wide * wide).sum(-1, true) + kLengthEps);
  return unit.repeat_interleave(spec.value_heads / spec.key_heads, 1);
}

// Everything that the rule reads, one beside the other: [rows, value_heads, 2 key_dim + value_dim + 2].
at::Tensor rule_inputs(const DeltaNetSpec& spec, const DeltaNetWeights& weights, const Projected& parts,
                       const at::Tensor& convolved) {
  const std::int64_t rows = convolved.size(0);
  const auto qkv = convolved.split_with_sizes({spec.key_width(), spec.key_width(), spec.value_width()}, -1);
  const at::Tensor query = unit_heads(spec, qkv[0]) * (1.0 / std::sqrt(static_cast<double>(spec.key_dim)));
  const at::Tensor value = qkv[2].reshape({rows, spec.value_heads, spec.value_dim}).to(at::kFloat);
  const at::Tensor rate = weights.log_rate.to(at::kFloat).exp();
  const at::Tensor log_decay =
      -rate * at::softplus(parts.step.to(at::kFloat) + weights.step_bias.to(at::kFloat));
  const at::Tensor beta = parts.beta.sigmoid().to(at::kFloat);
  return at::cat({query, unit_heads(spec, qkv[1]), value, log_decay.unsqueeze(-1), beta.unsqueeze(-1)}, -1);
}

// One grid of runs: inputs [copies, tokens, value_heads, width] -> out [copies, tokens of the runs,
// value_heads, value_dim], and the states after the runs, [copies * runs, ..].
DeltaResult read_runs(const DeltaNetSpec& spec, const RunGrid& grid, const at::Tensor& inputs,
                      const at::Tensor& state) {
  const std::int64_t copies = inputs.size(0), heads = spec.value_heads, width = inputs.size(3);
  at::Tensor padded = inputs;
  if (!grid.is_identity)
    padded = at::zeros({copies, grid.runs * grid.width, heads, width}, inputs.options())
                 .index_copy(1, grid.slots, inputs.index_select(1, grid.rows));
  const auto parts = padded.view({copies * grid.runs, grid.width, heads, width})
                         .transpose(1, 2)
                         .split_with_sizes({spec.key_dim, spec.key_dim, spec.value_dim, 1, 1}, -1);
  const DeltaResult result =
      gated_delta_rule({parts[0], parts[1], parts[2], parts[3].squeeze(-1), parts[4].squeeze(-1), state});
  at::Tensor out =
      result.out.transpose(1, 2).reshape({copies, grid.runs * grid.width, heads, spec.value_dim});
  if (!grid.is_identity) out = out.index_select(1, grid.slots);
  return {out, result.state};
}

// All runs of all copies: inputs [copies, tokens, ..] -> out [copies, tokens, value_heads, value_dim], and
// the states after the trunks.
DeltaResult read_in_order(const DeltaNetSpec& spec, const RecurrentOrder& order, const at::Tensor& inputs,
                          const at::Tensor& state) {
  const DeltaResult trunks = read_runs(spec, order.trunks, inputs, state);
  if (order.trunks.is_identity) return trunks;
  if (order.branches.runs == 0) return {trunks.out.index_select(1, order.places), trunks.state};
  const at::Tensor forked = trunks.state.unflatten(0, {inputs.size(0), order.trunks.runs})
                                .index_select(1, order.branches.parents)
                                .flatten(0, 1);
  const DeltaResult branches = read_runs(spec, order.branches, inputs, forked);
  return {at::cat({trunks.out, branches.out}, 1).index_select(1, order.places), trunks.state};
}

}  // namespace

at::Tensor delta_net(const DeltaNetSpec& spec, double norm_eps, const DeltaNetWeights& weights,
                     const at::Tensor& x, const RecurrentOrder& order, const LayerStates& states) {
  const std::int64_t tokens = order.places.size(0), copies = x.size(0) / tokens, rows = x.size(0);
  const std::int64_t sequences = order.trunks.runs, reach = spec.kernel - 1;
  const Projected parts = project_parts(spec, weights, x);
  RecurrentState before;
  if (states.pass != nullptr)
    before = states.pass->before(states.layer, parts.mixed);
  else
    before = {at::zeros({copies * sequences, reach, spec.conv_width()}, x.options()),
              at::zeros({copies * sequences, spec.value_heads, spec.key_dim, spec.value_dim},
                        x.options().dtype(at::kFloat))};
  const at::Tensor source =
      at::cat({before.tail.view({copies, sequences * reach, -1}), parts.mixed.view({copies, tokens, -1})}, 1);
  const at::Tensor convolved = convolve(source, weights.conv, order).view({rows, -1});
  const at::Tensor inputs = rule_inputs(spec, weights, parts, convolved);
  const DeltaResult read = read_in_order(
      spec, order, inputs.view({copies, tokens, spec.value_heads, inputs.size(-1)}), before.memory);
  if (states.pass != nullptr)
    states.pass->after(
        states.layer,
        {source.select(0, 0).index_select(0, order.tails).view({sequences, reach, spec.conv_width()}),
         read.state});
  // The norm's weight is applied in the model's dtype, the gate in float32.
  const at::Tensor out = read.out.reshape({rows, spec.value_heads, spec.value_dim}).to(x.scalar_type());
  const at::Tensor gated =
      rms_norm(out, weights.norm, norm_eps).to(at::kFloat) * at::silu(parts.gate.to(at::kFloat));
  return at::linear(gated.to(x.scalar_type()).flatten(1), weights.output);
}

}  // namespace moelab::model
