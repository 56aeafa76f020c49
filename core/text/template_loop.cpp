#include "core/text/template_loop.h"

namespace moelab::text::jinja {

bool LoopState::advance() {
  std::optional<Value> next;
  if (after_) {
    next = std::move(after_);
    after_.reset();
  } else {
    next = source();
  }
  if (!next) return false;
  ++index0;
  before = std::move(current);
  current = std::move(next);
  return true;
}

const std::optional<Value>& LoopState::peek() {
  if (!after_) after_ = source();
  return after_;
}

std::int64_t LoopState::length() {
  if (known_length) return *known_length;
  auto rest = std::make_shared<Values>();
  while (auto next = source()) rest->push_back(std::move(*next));
  known_length = static_cast<std::int64_t>(rest->size()) + index0 + 1 + (after_ ? 1 : 0);
  source = [rest, next = std::size_t{0}]() mutable -> std::optional<Value> {
    if (next == rest->size()) return std::nullopt;
    return (*rest)[next++];
  };
  return *known_length;
}

}  // namespace moelab::text::jinja
