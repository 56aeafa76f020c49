// Engine::moe_inputs: hidden states in front of the experts, at chosen tokens.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <map>

#include "core/engine/batch.h"
#include "core/engine/engine.h"

namespace moelab::engine {
namespace {

// The places in each sequence that has some, as indices into the list of places.
using PlacesBySequence = std::map<std::size_t, std::vector<std::size_t>>;

PlacesBySequence by_sequence(std::span<const Tokens> sequences, std::span<const TokenPlace> places) {
  PlacesBySequence grouped;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [sequence, position] = places[i];
    if (sequence >= sequences.size() || position < 0 || position >= std::ssize(sequences[sequence]))
      throw Error("place {}: there is no token {} of sequence {}", i, position, sequence);
    grouped[sequence].push_back(i);
  }
  return grouped;
}

// One batch's sequences, the packed rows that are wanted and where they go.
struct WantedRows {
  std::vector<const Tokens*> sequences;
  std::vector<std::int64_t> lengths, from, to;
};

}  // namespace

std::vector<MoeInput> Engine::moe_inputs(std::span<const Tokens> sequences,
                                         std::span<const TokenPlace> places) const {
  const at::NoGradGuard no_grad;
  const PlacesBySequence grouped = by_sequence(sequences, places);
  std::vector<std::size_t> read;
  std::vector<std::int64_t> lengths;
  for (const auto& [sequence, indices] : grouped) {
    read.push_back(sequence);
    lengths.push_back(std::ssize(sequences[sequence]));
  }
  std::map<std::int64_t, at::Tensor> inputs;  // by layer
  for (const auto& batch : make_batches(lengths, 1, options_.batch_tokens)) {
    WantedRows wanted;
    std::int64_t start = 0;
    for (const std::size_t b : batch) {
      wanted.sequences.push_back(&sequences[read[b]]);
      wanted.lengths.push_back(lengths[b]);
      for (const std::size_t place : grouped.at(read[b])) {
        wanted.from.push_back(start + places[place].position);
        wanted.to.push_back(static_cast<std::int64_t>(place));
      }
      start += lengths[b];
    }
    const at::Device device = model_.device();
    const at::Tensor from = at::tensor(wanted.from, at::kLong).to(device);
    const at::Tensor to = at::tensor(wanted.to, at::kLong).to(device);
    model::PassOptions pass;
    pass.moe_input = [&](std::int64_t layer, const at::Tensor& input) {
      at::Tensor& rows = inputs[layer];
      if (!rows.defined()) rows = at::empty({std::ssize(places), input.size(-1)}, input.options());
      rows.index_copy_(0, to, input.index_select(0, from));
    };
    model_.run_layers(model_.embed(pack_tokens(wanted.sequences, spec().vocab_size, device)),
                      model::make_layout(wanted.lengths, device), {0, spec().layers}, pass);
  }
  std::vector<MoeInput> result;
  for (auto& [layer, rows] : inputs) result.push_back({layer, std::move(rows)});
  return result;
}

}  // namespace moelab::engine
