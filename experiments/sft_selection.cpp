#include "experiments/sft_selection.h"

#include "core/base/error.h"
#include "experiments/statistics/ranks.h"

namespace moelab::experiments {

void validate(const SftSelection& selection) {
  if (selection.kind == "band" && selection.lower >= selection.upper)
    throw ConfigError("sft.selection.lower is {}, but must be below sft.selection.upper, which is {}",
                      selection.lower, selection.upper);
}

KeptExamples keep_examples(std::span<const double> norms, const SftSelection& selection) {
  validate(selection);
  if (norms.empty()) throw ConfigError("there is no example to select from");
  KeptExamples result;
  result.most = statistics::quantile(norms, selection.upper);
  if (selection.kind == "band") result.least = statistics::quantile(norms, selection.lower);
  for (std::size_t i = 0; i < norms.size(); ++i)
    if (norms[i] >= result.least && norms[i] <= result.most) result.kept.push_back(i);
  if (result.kept.empty())
    throw ConfigError(
        "sft.selection: none of the {} examples has a gradient norm from {:.4g} to {:.4g}; widen the band, "
        "or raise split.discovery",
        norms.size(), result.least, result.most);
  return result;
}

}  // namespace moelab::experiments
