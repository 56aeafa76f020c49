#include "core/model/recurrent_pass.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "core/base/error.h"

namespace moelab::model {

RecurrentPass::RecurrentPass(const ModelSpec& spec, std::span<const KvAppend> rows)
    : net_(spec.delta_net.value()), made_(static_cast<std::size_t>(spec.layers)) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].row->tokens > 0 && rows[i].row->states.empty())
      throw Error("row {} of the batch has read {} tokens, but holds no recurrent state", i,
                  rows[i].row->tokens);
    rows_.push_back(rows[i].row);
  }
}

RecurrentState RecurrentPass::before(std::int64_t layer, const at::Tensor& like) const {
  const auto index = static_cast<std::size_t>(layer);
  RecurrentState start;
  std::vector<at::Tensor> tails, memories;
  for (const KvRow* row : rows_) {
    if (row->states.empty() && !start.memory.defined())
      start = {at::zeros({net_.kernel - 1, net_.conv_width()}, like.options()),
               at::zeros({net_.value_heads, net_.key_dim, net_.value_dim}, like.options().dtype(at::kFloat))};
    const RecurrentState& state = row->states.empty() ? start : row->states[index];
    tails.push_back(state.tail);
    memories.push_back(state.memory);
  }
  return {at::stack(tails), at::stack(memories)};
}

void RecurrentPass::after(std::int64_t layer, RecurrentState states) {
  made_[static_cast<std::size_t>(layer)] = std::move(states);
}

void RecurrentPass::commit(std::size_t index, KvRow& row) const {
  const auto i = static_cast<std::int64_t>(index);
  RowStates states(made_.size());
  for (std::size_t layer = 0; layer < made_.size(); ++layer) {
    if (!net_.layers.at(layer)) continue;
    if (!made_[layer].memory.defined())
      throw Error("layer {} has a recurrent state and did not run in this pass", layer);
    states[layer] = {made_[layer].tail.select(0, i), made_[layer].memory.select(0, i)};
  }
  row.states = std::move(states);
}

}  // namespace moelab::model
