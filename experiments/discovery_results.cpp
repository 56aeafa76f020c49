#include "experiments/discovery_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "core/base/json.h"
#include "core/base/random.h"
#include "core/config/nearest.h"
#include "experiments/statistics/ranks.h"
#include "experiments/study_notes.h"

namespace moelab::experiments {

using discovery::RoutingCounts;
using store::Id;
using store::Store;

namespace {

// Sizes as the model's row has them, or else as large as the stored scores need.
ExpertGrid read_grid(Store& store, Id run) {
  ExpertGrid grid;
  store::Statement row = store.database().prepare(
      "SELECT max(layer), max(expert) FROM (SELECT layer, expert FROM expert_score WHERE run = ?1 "
      "UNION ALL SELECT layer, expert FROM routing_count WHERE run = ?1)");
  row.bind(run);
  if (row.step() && !row.is_null(0)) grid = {row.get<std::int64_t>(0) + 1, row.get<std::int64_t>(1) + 1};
  return grid;
}

std::vector<std::int64_t> read_experts(Store& store, Id run, const ExpertGrid& grid) {
  std::vector<std::int64_t> experts;
  store::Statement row = store.database().prepare(
      "SELECT DISTINCT layer, expert FROM expert_score WHERE run = ?1 ORDER BY layer, expert");
  row.bind(run);
  while (row.step()) experts.push_back(row.get<std::int64_t>(0) * grid.experts + row.get<std::int64_t>(1));
  return experts;
}

// The runs that the study's notes name.
std::vector<Id> runs_of_study(Store& store, Id study) {
  std::vector<Id> runs;
  for (const Json& note : notes(store, study, "discovery"))
    runs.push_back(json_get<Id>(note, "run", "event"));
  return runs;
}

std::vector<Id> newest_runs(Store& store) {
  std::vector<Id> runs;
  store::Statement row = store.database().prepare(
      "SELECT max(id) FROM discovery_run WHERE json_extract(settings, '$.trace') IS NULL "
      "AND json_extract(settings, '$.similarity') IS NULL GROUP BY model, domain ORDER BY 1");
  while (row.step()) runs.push_back(row.get<Id>(0));
  return runs;
}

RoutingCounts resampled(const std::vector<RoutingCounts>& counts, RandomStream& random) {
  std::vector<RoutingCounts> drawn;
  drawn.reserve(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) drawn.push_back(counts[random.below(counts.size())]);
  return discovery::sum_counts(drawn);
}

}  // namespace

std::string ExpertGrid::name(std::int64_t flat) const {
  return fmt::format("{}:{}", flat / experts, flat % experts);
}

std::vector<DiscoveryResult> discovery_results(Store& store, const TableRequest& request) {
  std::vector<Id> runs;
  if (request.study != 0) runs = runs_of_study(store, request.study);
  if (runs.empty()) runs = newest_runs(store);
  std::map<std::pair<Id, std::string>, DiscoveryResult> results;
  for (const Id run : runs) {
    DiscoveryResult result;
    result.run = run;
    result.row = store.discovery(run);
    result.model_id = result.row.model;
    result.model = store.model(result.row.model).name;
    result.domain = result.row.domain;
    if (!is_wanted(request.models, result.model) || !is_wanted(request.domains, result.domain)) continue;
    result.grid = read_grid(store, run);
    result.moe_experts = read_experts(store, run, result.grid);
    results.insert_or_assign({result.model_id, result.domain}, std::move(result));
  }
  if (results.empty()) {
    throw ConfigError(
        "{}: no discovery run is stored for these models and domains; 'moelab discover' makes them",
        store.database().path().string());
  }
  std::vector<DiscoveryResult> list;
  for (auto& [key, result] : results) list.push_back(std::move(result));
  return list;
}

std::vector<std::string> score_names(Store& store, Id run) {
  std::vector<std::string> names;
  store::Statement row =
      store.database().prepare("SELECT DISTINCT score FROM expert_score WHERE run = ?1 ORDER BY score");
  row.bind(run);
  while (row.step()) names.push_back(row.get<std::string>(0));
  return names;
}

std::vector<std::string> shared_score_names(Store& store, std::span<const DiscoveryResult> results) {
  std::vector<std::string> shared;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::vector<std::string> names = score_names(store, results[i].run);
    if (i == 0) shared = names;
    std::erase_if(shared, [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) == names.end();
    });
  }
  return shared;
}

std::vector<double> stored_scores(Store& store, const DiscoveryResult& result, const std::string& score) {
  std::vector<double> values(static_cast<std::size_t>(result.grid.size()),
                             std::numeric_limits<double>::lowest());
  const std::vector<store::ScoreRow> rows = store.scores(result.run, score);
  if (rows.empty()) {
    const std::vector<std::string> known = score_names(store, result.run);
    throw ConfigError("no score '{}' is stored{} Stored are: {}", score, config::did_you_mean(score, known),
                      config::join_names(known));
  }
  for (const store::ScoreRow& row : rows) {
    values[static_cast<std::size_t>(row.layer * result.grid.experts + row.expert)] = row.value;
  }
  return values;
}

std::vector<RoutingCounts> question_counts(Store& store, const DiscoveryResult& result) {
  const auto size = static_cast<std::size_t>(result.grid.size());
  std::map<Id, RoutingCounts> questions;
  for (const store::RoutingRow& row : store.routing(result.run)) {
    RoutingCounts& counts = questions[row.question];
    if (counts.total.empty()) {
      counts.total.resize(size);
      counts.important.resize(size);
      counts.common.resize(size);
    }
    const auto flat = static_cast<std::size_t>(row.layer * result.grid.experts + row.expert);
    counts.total[flat] = row.n;
    counts.important[flat] = row.n_important;
    counts.common[flat] = row.n_unimportant;
  }
  std::vector<RoutingCounts> list;
  for (auto& [question, counts] : questions) list.push_back(std::move(counts));
  return list;
}

std::vector<double> usage(Store& store, const DiscoveryResult& result) {
  std::vector<double> shares(static_cast<std::size_t>(result.grid.size()), 0.0);
  store::Statement row = store.database().prepare(
      "SELECT layer, expert, sum(n) FROM routing_count WHERE run = ?1 GROUP BY layer, expert");
  row.bind(result.run);
  const double tokens = static_cast<double>(std::max<std::int64_t>(result.row.n_tokens, 1));
  while (row.step()) {
    const auto flat = row.get<std::int64_t>(0) * result.grid.experts + row.get<std::int64_t>(1);
    shares[static_cast<std::size_t>(flat)] = row.get<double>(2) / tokens;
  }
  return shares;
}

std::vector<std::int64_t> best_experts(const std::vector<double>& values,
                                       const std::vector<std::int64_t>& candidates, std::int64_t top) {
  std::vector<std::int64_t> order = candidates;
  std::erase_if(order, [&](std::int64_t flat) {
    return values[static_cast<std::size_t>(flat)] == std::numeric_limits<double>::lowest();
  });
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
  });
  if (static_cast<std::int64_t>(order.size()) > top) order.resize(static_cast<std::size_t>(top));
  return order;
}

double rank_correlation(const std::vector<double>& a, const std::vector<double>& b,
                        const std::vector<std::int64_t>& candidates) {
  std::vector<double> left;
  std::vector<double> right;
  for (const std::int64_t flat : candidates) {
    left.push_back(a[static_cast<std::size_t>(flat)]);
    right.push_back(b[static_cast<std::size_t>(flat)]);
  }
  return left.size() < 2 ? kUnknown : statistics::spearman(left, right);
}

Stability ranking_stability(discovery::Score score, const std::vector<RoutingCounts>& counts,
                            const std::vector<RoutingCounts>& others, const DiscoveryResult& result,
                            std::pair<std::int64_t, std::int64_t> top_and_resamples, std::uint64_t seed) {
  if (counts.empty()) return {};
  const auto [top, resamples] = top_and_resamples;
  const RoutingCounts all = discovery::sum_counts(counts);
  if (!discovery::why_undefined(score, all, others).empty()) return {};
  const auto selections = std::accumulate(all.total.begin(), all.total.end(), std::int64_t{0});
  const auto per_token = selections / std::max<std::int64_t>(result.row.n_tokens, 1);
  const auto best = [&](const RoutingCounts& sums) {
    return best_experts(discovery::expert_scores(score, sums, others, per_token), result.moe_experts, top);
  };
  const std::vector<std::int64_t> full = best(all);
  const std::set<std::int64_t> kept(full.begin(), full.end());
  RandomStream random(seed, fmt::format("bootstrap/{}/{}", result.domain, discovery::name_of(score)));
  std::vector<double> shares;
  double sum = 0;
  for (std::int64_t i = 0; i < resamples; ++i) {
    const RoutingCounts drawn = resampled(counts, random);
    if (!discovery::why_undefined(score, drawn, others).empty()) continue;
    const std::vector<std::int64_t> again = best(drawn);
    const auto same =
        std::count_if(again.begin(), again.end(), [&](std::int64_t id) { return kept.contains(id); });
    shares.push_back(static_cast<double>(same) / static_cast<double>(full.size()));
    sum += shares.back();
  }
  if (shares.empty()) return {};
  return {sum / static_cast<double>(shares.size()), statistics::quantile(shares, 0.05)};
}

}  // namespace moelab::experiments
