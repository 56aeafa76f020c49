// What discovery stored of each model and domain, read back: scores, usage, rankings and how stable they are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/discovery/expert_score.h"
#include "experiments/study_results.h"

namespace moelab::experiments {

// The experts of one model, flat: layer * experts + expert.
struct ExpertGrid {
  std::int64_t layers = 0;
  std::int64_t experts = 0;
  std::int64_t size() const { return layers * experts; }
  // "2:13" is expert 13 of layer 2.
  std::string name(std::int64_t flat) const;
};

// A discovery run of a model on a domain.
struct DiscoveryResult {
  store::Id run = 0;
  std::string model;
  store::Id model_id = 0;
  std::string domain;
  store::DiscoveryRow row;
  ExpertGrid grid;
  std::vector<std::int64_t> moe_experts;  // flat ids that the router can select, ascending
};

// The runs that the study rests on, or else the newest run of each model and domain; by model and domain.
// study 0: the newest runs of all models. Throws ConfigError when there is none.
std::vector<DiscoveryResult> discovery_results(store::Store& store, const TableRequest& request);

// Flat scores; experts without a stored row have the lowest double. Throws ConfigError listing the stored
// scores.
std::vector<double> stored_scores(store::Store& store, const DiscoveryResult& result,
                                  const std::string& score);
std::vector<std::string> score_names(store::Store& store, store::Id run);
// Those that all of the runs have.
std::vector<std::string> shared_score_names(store::Store& store, std::span<const DiscoveryResult> results);

// Routing counts of each question, in question order.
std::vector<discovery::RoutingCounts> question_counts(store::Store& store, const DiscoveryResult& result);

// Share of the run's tokens that selected each expert, flat: top_k / experts on average in a MoE layer.
std::vector<double> usage(store::Store& store, const DiscoveryResult& result);

// The flat ids of the `top` best values among `candidates`, best first, ties by id. Experts
// without a stored score (see stored_scores) are never among them.
std::vector<std::int64_t> best_experts(const std::vector<double>& values,
                                       const std::vector<std::int64_t>& candidates, std::int64_t top);

// Rank correlation of two scores over the experts that can be selected; kUnknown when one is constant.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b,
                        const std::vector<std::int64_t>& candidates);

struct Stability {
  double mean = kUnknown;  // share of the top experts that a resample of the questions keeps
  double low = kUnknown;   // its 5 % quantile
};

// Resamples the domain's questions with replacement, and computes the score anew each time from `counts`; the
// other domains' counts stay as they are. `seed` names the random stream.
Stability ranking_stability(discovery::Score score, const std::vector<discovery::RoutingCounts>& counts,
                            const std::vector<discovery::RoutingCounts>& others,
                            const DiscoveryResult& result,
                            std::pair<std::int64_t, std::int64_t> top_and_resamples, std::uint64_t seed);

}  // namespace moelab::experiments
