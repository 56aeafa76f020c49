// Sliding-window attention: a layout whose mask also hides what lies too far behind.
#pragma once

#include "core/model/layout.h"

namespace moelab::model {

// The same rows with a mask in which position i sees position j only where i - window < j, on top of what the
// layout's own mask (or plain causality) lets it see. Unchanged when no sequence is longer than the window.
Layout with_window(const Layout& layout, std::int64_t window);

}  // namespace moelab::model
