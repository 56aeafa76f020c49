// The state behind the variable `loop`.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/text/template_value.h"

namespace moelab::text::jinja {

struct For;
struct Frame;

struct LoopState {
  // The next element; nothing at the end. May evaluate the loop's "if".
  std::function<std::optional<Value>()> source;
  std::optional<std::int64_t> known_length;
  std::int64_t index0 = -1;
  std::int64_t depth0 = 0;
  std::optional<Value> before, current;
  std::optional<Values> last_changed;
  // For loop(...) of a recursive loop.
  const For* statement = nullptr;
  std::shared_ptr<Frame> frame;

  // Moves to the next element; false at the end.
  bool advance();
  // The element after the current one, which is fetched early for this.
  const std::optional<Value>& peek();
  // Fetches all remaining elements where the length is not known.
  std::int64_t length();

 private:
  std::optional<Value> after_;
};

}  // namespace moelab::text::jinja
