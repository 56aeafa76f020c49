// A macro or call block as a value.
#pragma once

#include <memory>
#include <string>

#include "core/text/template_ast.h"

namespace moelab::text::jinja {

// The variables of one scope while it is active. A missing value means that the name is undefined now.
struct Frame {
  std::vector<std::optional<Value>> slots;
  std::shared_ptr<Frame> outer;
};

struct MacroData {
  std::shared_ptr<const Callable> callable;
  // Where it was defined: its body sees the variables there as they are when it is called.
  std::shared_ptr<Frame> frame;
};

inline std::string macro_repr(const MacroData& macro) {
  return macro.callable->name.empty() ? "anonymous" : "'" + macro.callable->name + "'";
}

}  // namespace moelab::text::jinja
