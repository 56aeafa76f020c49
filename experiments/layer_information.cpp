#include "experiments/layer_information.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "core/base/error.h"
#include "core/base/random.h"
#include "experiments/statistics/paired.h"

namespace moelab::experiments {
namespace {

// The selections of one group of questions by flat expert.
struct GroupSelections {
  std::size_t domain = 0;
  std::map<std::size_t, double> counts;
};

std::vector<GroupSelections> by_group(const ExistenceInput& input) {
  std::map<std::pair<std::size_t, std::string>, GroupSelections> groups;
  for (const QuestionRouting& question : input.questions) {
    GroupSelections& group = groups[{question.domain, question.group}];
    group.domain = question.domain;
    for (const auto& [expert, count] : question.counts) group.counts[expert] += count;
  }
  std::vector<GroupSelections> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

// Mutual information of one layer from counts[domain][expert]; 0 where a domain has no selection.
double bits_of(const std::vector<std::vector<double>>& counts, std::size_t first, std::size_t experts) {
  const auto domains = static_cast<double>(counts.size());
  std::vector<double> sums(counts.size(), 0.0);
  for (std::size_t d = 0; d < counts.size(); ++d)
    for (std::size_t e = first; e < first + experts; ++e) sums[d] += counts[d][e];
  for (const double sum : sums)
    if (sum == 0) return 0;
  double bits = 0;
  for (std::size_t e = first; e < first + experts; ++e) {
    double mean = 0;
    for (std::size_t d = 0; d < counts.size(); ++d) mean += counts[d][e] / sums[d] / domains;
    for (std::size_t d = 0; d < counts.size(); ++d) {
      const double share = counts[d][e] / sums[d];
      if (share > 0) bits += share * std::log2(share / mean) / domains;
    }
  }
  return bits;
}

std::vector<double> bits_by_layer(const std::vector<GroupSelections>& groups,
                                  const std::vector<std::size_t>& labels, const ExistenceInput& input,
                                  std::size_t experts) {
  std::vector<std::vector<double>> counts(input.domains.size(),
                                          std::vector<double>(input.options.experts, 0.0));
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const auto& [expert, count] : groups[g].counts) counts[labels[g]][expert] += count;
  std::vector<double> bits;
  for (std::size_t first = 0; first < input.options.experts; first += experts)
    bits.push_back(bits_of(counts, first, experts));
  return bits;
}

}  // namespace

std::vector<LayerInformation> layer_information(const ExistenceInput& input, std::size_t experts_a_layer,
                                                int permutations) {
  if (experts_a_layer == 0 || input.options.experts % experts_a_layer != 0)
    throw Error("{} experts are no whole layers of {}", input.options.experts, experts_a_layer);
  const std::vector<GroupSelections> groups = by_group(input);
  std::vector<std::size_t> labels;
  std::vector<bool> is_used(input.options.experts / experts_a_layer, false);
  for (const GroupSelections& group : groups) {
    labels.push_back(group.domain);
    for (const auto& [expert, count] : group.counts) is_used[expert / experts_a_layer] = true;
  }
  const auto observed = bits_by_layer(groups, labels, input, experts_a_layer);
  std::vector<std::vector<double>> permuted(observed.size());
  for (int i = 0; i < permutations; ++i) {
    RandomStream stream(input.options.seed, fmt::format("layer labels/{}", i));
    stream.shuffle(std::span(labels));
    const auto bits = bits_by_layer(groups, labels, input, experts_a_layer);
    for (std::size_t l = 0; l < bits.size(); ++l) permuted[l].push_back(bits[l]);
  }
  std::vector<LayerInformation> layers;
  for (std::size_t l = 0; l < observed.size(); ++l) {
    if (!is_used[l]) continue;
    double sum = 0;
    for (const double bits : permuted[l]) sum += bits;
    layers.push_back({l, observed[l], permutations > 0 ? sum / permutations : 0.0,
                      statistics::null_p(observed[l], permuted[l])});
  }
  return layers;
}

}  // namespace moelab::experiments
