// The overlap table: how many of their top experts two domains share, by model and score.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "experiments/discovery_results.h"
#include "experiments/statistics/ranks.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

using DiscoveryResults = std::vector<DiscoveryResult>;

std::vector<std::string> domains_of(const DiscoveryResults& results) {
  std::vector<std::string> names;
  for (const DiscoveryResult& result : results) {
    if (std::find(names.begin(), names.end(), result.domain) == names.end()) names.push_back(result.domain);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The rows of one model and score: each domain's experts against every domain's, and against plain usage.
void add_score(TextTable& table, store::Store& store, const DiscoveryResults& runs, const std::string& score,
               const OverlapRequest& request, const std::vector<std::string>& domains) {
  std::map<std::string, std::vector<std::int64_t>> best;
  std::map<std::string, double> correlation;
  for (const DiscoveryResult& result : runs) {
    const std::vector<double> values = stored_scores(store, result, score);
    best[result.domain] = best_experts(values, result.moe_experts, request.top);
    correlation[result.domain] = rank_correlation(values, usage(store, result), result.moe_experts);
  }
  for (const DiscoveryResult& result : runs) {
    std::vector<std::string> cells = {result.model, score, result.domain,
                                      two_decimals(correlation[result.domain])};
    for (const std::string& other : domains) {
      cells.push_back(
          best.contains(other) ? two_decimals(statistics::jaccard(best[result.domain], best[other])) : "-");
    }
    table.add(std::move(cells));
  }
}

}  // namespace

TextTable overlap_table(store::Store& store, const OverlapRequest& request) {
  const DiscoveryResults results = discovery_results(store, request.table);
  const std::vector<std::string> domains = domains_of(results);
  TextTable table;
  table.title = fmt::format("Overlap of the {} top experts of each domain (Jaccard)", request.top);
  table.columns = {{"model", true}, {"score", true}, {"domain", true}, {"rank corr."}};
  for (const std::string& domain : domains) table.columns.push_back({domain});
  for (std::size_t first = 0; first < results.size();) {
    std::size_t last = first;
    while (last < results.size() && results[last].model_id == results[first].model_id) ++last;
    const DiscoveryResults runs(results.begin() + static_cast<std::ptrdiff_t>(first),
                                results.begin() + static_cast<std::ptrdiff_t>(last));
    const std::vector<std::string> shared = shared_score_names(store, runs);
    for (const std::string& score : request.scores.empty() ? shared : request.scores) {
      add_score(table, store, runs, score, request, domains);
    }
    first = last;
  }
  table.footers = {"rank corr.: Spearman's correlation of the score with plain usage, over all experts.",
                   "1 on the diagonal; near 1 beside it: the score finds the same experts in every domain."};
  return table;
}

}  // namespace moelab::experiments
