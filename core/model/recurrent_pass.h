// The recurrent states of the rows of one pass: those that they hold, and those that the pass makes of them.
#pragma once

#include <span>
#include <vector>

#include "core/model/kv_cache.h"
#include "core/model/recurrent_state.h"

namespace moelab::model {

class RecurrentPass {
 public:
  // The rows must stay where they are until the pass has ended. Throws Error when a row that has read tokens
  // holds no states.
  RecurrentPass(const ModelSpec& spec, std::span<const KvAppend> rows);

  // States of all rows in one layer before the pass: tail [rows, kernel - 1, conv_width] in the type and on
  // the device of `like`, memory [rows, value_heads, key_dim, value_dim]. Zeros for a row at its start.
  RecurrentState before(std::int64_t layer, const at::Tensor& like) const;

  // What the pass made of them, in the same shapes.
  void after(std::int64_t layer, RecurrentState states);

  // Gives row `index` its new states. Call it when the whole pass has succeeded. Throws Error when a layer
  // did not run.
  void commit(std::size_t index, KvRow& row) const;

 private:
  const DeltaNetSpec& net_;
  std::vector<const KvRow*> rows_;
  RowStates made_;  // [layers]
};

}  // namespace moelab::model
