// Prompts that were read once for all repeats of their request: keys and values, and the logits that follow.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "core/model/kv_cache.h"

namespace moelab::engine {

class SharedPrompts {
 public:
  struct Prompt {
    model::KvRow kv;
    std::vector<float> logits;  // [vocab] after its last token
  };

  // The cache must outlive it.
  explicit SharedPrompts(model::KvCache& cache) : cache_(cache) {}

  // Keeps the prompt of request `request`, which `row` has just read to its end.
  void keep(std::size_t request, const model::KvRow& row, std::span<const float> logits);

  // Null when that prompt is not kept.
  const Prompt* find(std::size_t request) const;

  // Forgets one prompt, or all; rows that share its pages keep them.
  void drop(std::size_t request);
  void drop_all();

  // Forgets one prompt that no running row holds in full. False when that would free no page.
  bool drop_for_room();

 private:
  model::KvCache& cache_;
  std::map<std::size_t, Prompt> prompts_;  // by request
};

}  // namespace moelab::engine
