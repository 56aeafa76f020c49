#include "experiments/study_sweep.h"

#include <fmt/ranges.h>

#include "core/config/config.h"

namespace moelab::experiments {

std::vector<std::vector<std::string>> expand_studies(std::span<const std::string> overrides,
                                                     bool is_multirun) {
  std::vector<std::string> rewritten;
  for (const std::string& text : overrides) {
    const config::ParsedOverride parsed = config::parse_override(text);
    if (!parsed.is_sweep) {
      rewritten.push_back(text);
      continue;
    }
    const std::string as_list =
        fmt::format("{}=[{}]", text.substr(0, text.find('=')), fmt::join(parsed.value_texts, ","));
    const bool is_axis = parsed.key.starts_with("axes.");
    if (is_axis && parsed.value_texts.empty()) {
      throw ConfigError("'{}' names no values: list those of the axis, as in {}=[a,b]", text, parsed.key);
    }
    if (parsed.sweep == config::ParsedOverride::Sweep::interval) {
      throw ConfigError("'{}': an interval has no elements; use range(start,stop,step)", text);
    }
    if (!is_multirun) {
      throw ConfigError("'{}' lists several values: {}add -m", text,
                        is_axis ? fmt::format("write {}, or ", as_list) : "");
    }
    rewritten.push_back(is_axis ? as_list : text);
  }
  return config::expand_sweep(rewritten);
}

}  // namespace moelab::experiments
