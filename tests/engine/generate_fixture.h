// What the tests of generation share: settings of a run, and the tokens that it gave.
#pragma once

#include <vector>

#include "core/engine/generate.h"

namespace moelab::testing {

inline engine::GenerateOptions options_of(std::int64_t rows, std::int64_t prefill,
                                          model::KvCacheOptions cache) {
  engine::GenerateOptions options;
  options.rows = rows;
  options.prefill_tokens = prefill;
  options.cache = cache;
  return options;
}

inline std::vector<engine::Tokens> tokens_of(const engine::GenerateReport& report) {
  std::vector<engine::Tokens> tokens;
  for (const auto& sample : report.samples) tokens.push_back(sample.tokens);
  return tokens;
}

}  // namespace moelab::testing
