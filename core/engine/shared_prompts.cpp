#include "core/engine/shared_prompts.h"

#include <algorithm>

namespace moelab::engine {

void SharedPrompts::keep(std::size_t request, const model::KvRow& row, std::span<const float> logits) {
  drop(request);
  prompts_[request] = {cache_.share(row, row.tokens), {logits.begin(), logits.end()}};
}

const SharedPrompts::Prompt* SharedPrompts::find(std::size_t request) const {
  const auto found = prompts_.find(request);
  return found == prompts_.end() ? nullptr : &found->second;
}

void SharedPrompts::drop(std::size_t request) {
  const auto found = prompts_.find(request);
  if (found == prompts_.end()) return;
  cache_.release(found->second.kv);
  prompts_.erase(found);
}

void SharedPrompts::drop_all() {
  while (!prompts_.empty()) drop(prompts_.begin()->first);
}

bool SharedPrompts::drop_for_room() {
  const auto found = std::find_if(prompts_.begin(), prompts_.end(),
                                  [&](const auto& entry) { return cache_.own_pages(entry.second.kv) > 0; });
  if (found == prompts_.end()) return false;
  drop(found->first);
  return true;
}

}  // namespace moelab::engine
