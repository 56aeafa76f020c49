// An error of references that callers tell from the others.
#pragma once

#include "core/base/error.h"

namespace moelab::config {

// The reference leads to ???, so the value that holds it is missing too.
struct LeadsToMissing : ConfigError {
  using ConfigError::ConfigError;
};

}  // namespace moelab::config
