// Expert scores from routing counts, and one ranking over all layers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/discovery/discovery.h"
#include "core/steering/plan.h"

namespace moelab::discovery {

// Persistent in the database by name.
enum class Score {
  paper,            // DSMoE Eq. 8: P(e|D) [P(S|e) - P(C|e)] = (n_important - n_common) / N
  released_code,    // n_e (n_important - n_common) / N, as the published code computes it
  frequency,        // plain usage n_e / N
  contrast,         // usage on the domain minus the mean usage on the other domains
  risk_difference,  // SteerMoE Eq. 3: share of the domain's tokens minus share of the other domains' tokens
  risk_difference_importance,  // the same between the domain's important and its common tokens
  npmi,  // RICE: normalised pointwise mutual information of "important token" and "expert selected"
};

std::span<const Score> all_scores();
std::string_view name_of(Score score);
std::optional<Score> find_score(std::string_view name);
// Throws ConfigError listing the valid names.
Score parse_score(std::string_view name);

// Selections that one token makes: top-k in every MoE layer.
std::int64_t selections_a_token(const model::ModelSpec& spec);

// Sums of the counts over questions. Throws Error when the sizes differ.
RoutingCounts sum_counts(std::span<const RoutingCounts> questions);

// Why a score cannot be computed from these counts: no other domain, or no important or common token. Empty
// when it can.
std::string why_undefined(Score score, const RoutingCounts& domain, std::span<const RoutingCounts> others);

// Flat [layers * experts] scores of one domain. N = selections of all layers in that domain; tokens are
// selections / selections_a_token. `others` are the sums of the other domains, read by `contrast` (mean of
// the domains) and `risk_difference` (their tokens pooled). nPMI of k of M important and n of T tokens is
// [log2(k / M) + log2(T / n)] / log2(T / k); -1 for k = 0, 0 for k = T. Throws Error when no selection was
// counted, ConfigError when the score is undefined.
std::vector<double> expert_scores(Score score, const RoutingCounts& domain,
                                  std::span<const RoutingCounts> others, std::int64_t selections_a_token);

struct RankedExpert {
  steering::ExpertId id;
  double value = 0;
};

// All experts of the MoE layers, best first, ties by (layer, expert).
std::vector<RankedExpert> rank(std::span<const double> scores, const model::ModelSpec& spec);

// The first n_steered of a ranking. Throws ConfigError when there are fewer.
std::vector<steering::ExpertId> top_experts(std::span<const RankedExpert> ranking, std::int64_t n_steered);

}  // namespace moelab::discovery
