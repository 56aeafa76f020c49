#include "experiments/discovery_report.h"

#include <fmt/ranges.h>

#include <cmath>

#include "experiments/statistics/ranks.h"

namespace moelab::experiments {

using discovery::RoutingCounts;
using store::Store;

namespace {

struct TokenCounts {
  std::int64_t important = 0, common = 0, excluded = 0;
  std::vector<double> importance;
};

TokenCounts count_tokens(Store& store, store::Id run) {
  TokenCounts counts;
  for (const store::ImportanceRow& row : store.importance(run)) {
    counts.importance.push_back(row.importance);
    if (row.kind == "important") {
      ++counts.important;
    } else {
      ++(row.kind == "common" ? counts.common : counts.excluded);
    }
  }
  return counts;
}

// The importance at the run's percentile, over all of its tokens.
std::string threshold_text(const DiscoveryResult& result, const TokenCounts& counts) {
  const Json settings = parse_json(result.row.settings, "discovery_run.settings");
  const auto percentile = settings.find("percentile");
  if (counts.importance.empty() || percentile == settings.end()) return "-";
  return fmt::format("{:.3g}", statistics::quantile(counts.importance, percentile->get<double>() / 100));
}

// The counts of every run, by question, and summed up.
struct RunCounts {
  std::vector<RoutingCounts> questions;
  RoutingCounts sum;
};

std::vector<RunCounts> read_counts(Store& store, const std::vector<DiscoveryResult>& results) {
  std::vector<RunCounts> list;
  for (const DiscoveryResult& result : results) {
    RunCounts counts{question_counts(store, result), {}};
    counts.sum = discovery::sum_counts(counts.questions);
    list.push_back(std::move(counts));
  }
  return list;
}

// The other domains of the same model, which `contrast` compares with.
std::vector<RoutingCounts> others_of(const std::vector<DiscoveryResult>& results,
                                     const std::vector<RunCounts>& counts, std::size_t index) {
  std::vector<RoutingCounts> others;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i != index && results[i].model_id == results[index].model_id) others.push_back(counts[i].sum);
  }
  return others;
}

std::string stability_text(const Stability& stability) {
  if (std::isnan(stability.mean)) return "-";
  return fmt::format("{:.2f} ({:.2f})", stability.mean, stability.low);
}

std::string top_text(const DiscoveryResult& result, const std::vector<double>& values, std::int64_t top) {
  std::vector<std::string> names;
  for (const std::int64_t flat : best_experts(values, result.moe_experts, top))
    names.push_back(result.grid.name(flat));
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

TextTable counts_table(Store& store, const std::vector<DiscoveryResult>& results) {
  TextTable table;
  table.columns = {{"model", true}, {"domain", true}, {"questions"}, {"tokens"}, {"important"},
                   {"common"},      {"excluded"},     {"threshold"}, {"seconds"}};
  for (const DiscoveryResult& result : results) {
    const TokenCounts counts = count_tokens(store, result.run);
    table.add({result.model, result.domain, fmt::to_string(result.row.n_questions),
               fmt::to_string(result.row.n_tokens), fmt::to_string(counts.important),
               fmt::to_string(counts.common), fmt::to_string(counts.excluded), threshold_text(result, counts),
               fmt::format("{:.1f}", result.row.seconds)});
  }
  return table;
}

TextTable ranking_table(Store& store, const std::vector<DiscoveryResult>& results,
                        const ReportOptions& options) {
  const std::vector<RunCounts> counts = read_counts(store, results);
  TextTable table;
  table.columns = {{"model", true}, {"domain", true},
                   {"score", true}, {"rank corr."},
                   {"kept"},        {fmt::format("top {} (layer:expert)", options.top), true}};
  for (std::size_t i = 0; i < results.size(); ++i) {
    const DiscoveryResult& result = results[i];
    const std::vector<double> plain = usage(store, result);
    for (const std::string& score : score_names(store, result.run)) {
      const std::vector<double> values = stored_scores(store, result, score);
      const double correlation = rank_correlation(values, plain, result.moe_experts);
      // A query's ranking is stored; only moelab's own scores can be computed anew.
      const auto own = discovery::find_score(score);
      const Stability stability =
          own ? ranking_stability(*own, counts[i].questions, others_of(results, counts, i), result,
                                  {options.top, options.resamples}, options.seed)
              : Stability{};
      table.add({result.model, result.domain, score, two_decimals(correlation), stability_text(stability),
                 top_text(result, values, options.top)});
    }
  }
  table.footers = {
      "rank corr.: Spearman's correlation of the score with plain usage, over all experts.",
      fmt::format(
          "kept: share of the top {} that stays when the questions are resampled, mean of {} (5 % quantile).",
          options.top, options.resamples)};
  return table;
}

}  // namespace moelab::experiments
