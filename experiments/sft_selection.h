// Which training examples are kept, by the norm of their own gradient.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace moelab::experiments {

struct SftSelection {
  std::string kind = "none";  // quantile: those above `upper` are left out; band: those below `lower` too
  double lower = 0.25;        // quantiles of the norms over a domain's examples
  double upper = 0.75;

  bool is_on() const { return kind != "none"; }
};

// Throws ConfigError for quantiles out of order.
void validate(const SftSelection& selection);

struct KeptExamples {
  std::vector<std::size_t> kept;  // indices into the norms, in their order
  double least = 0, most = 0;     // norms that are kept, both included; `least` is 0 for kind quantile
};

// Throws ConfigError when nothing is left, as with examples so few that no norm lies between two quantiles.
KeptExamples keep_examples(std::span<const double> norms, const SftSelection& selection);

}  // namespace moelab::experiments
