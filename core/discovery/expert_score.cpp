#include "core/discovery/expert_score.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace moelab::discovery {
namespace {

constexpr std::array<std::string_view, 7> kScores = {
    "paper", "released_code", "frequency", "contrast", "risk_difference", "risk_difference_importance",
    "npmi"};
constexpr std::array kAll = {Score::paper,    Score::released_code,   Score::frequency,
                             Score::contrast, Score::risk_difference, Score::risk_difference_importance,
                             Score::npmi};

double sum_of(const std::vector<std::int64_t>& counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

double selections(const RoutingCounts& counts) {
  const double total = sum_of(counts.total);
  if (total == 0) throw Error("expert scores: no selection of any expert was counted");
  return total;
}

std::vector<double> shares(const RoutingCounts& domain) {
  const double all = selections(domain);
  std::vector<double> values;
  for (const std::int64_t n : domain.total) values.push_back(static_cast<double>(n) / all);
  return values;
}

std::vector<double> importance_scores(Score score, const RoutingCounts& domain) {
  const double all = selections(domain);
  std::vector<double> values(domain.total.size());
  for (std::size_t e = 0; e < values.size(); ++e) {
    const auto difference = static_cast<double>(domain.important[e] - domain.common[e]);
    const double weight = score == Score::released_code ? static_cast<double>(domain.total[e]) : 1;
    values[e] = weight * difference / all;
  }
  return values;
}

std::vector<double> contrasts(const RoutingCounts& domain, std::span<const RoutingCounts> others) {
  std::vector<double> values = shares(domain);
  for (const RoutingCounts& other : others) {
    const double other_all = selections(other) * static_cast<double>(others.size());
    for (std::size_t e = 0; e < values.size(); ++e)
      values[e] -= static_cast<double>(other.total.at(e)) / other_all;
  }
  return values;
}

// The share of a span's tokens that select each expert minus the other span's. A share of tokens is a share
// of selections times the selections that each token makes. Over a common denominator, so that equal
// differences of unequal shares stay equal.
std::vector<double> risk_differences(const std::vector<std::int64_t>& first,
                                     const std::vector<std::int64_t>& second, double per_token) {
  const double first_all = sum_of(first), second_all = sum_of(second);
  std::vector<double> values;
  for (std::size_t e = 0; e < first.size(); ++e)
    values.push_back(
        per_token *
        (static_cast<double>(first[e]) * second_all - static_cast<double>(second.at(e)) * first_all) /
        (first_all * second_all));
  return values;
}

// k of `marked` tokens and n of `tokens` tokens select the expert.
double npmi(double k, double marked, double n, double tokens) {
  if (k == 0) return -1;
  if (k == tokens) return 0;
  return (std::log2(k / marked) + std::log2(tokens / n)) / std::log2(tokens / k);
}

std::vector<double> npmi_scores(const RoutingCounts& domain, double per_token) {
  const double marked = sum_of(domain.important) / per_token;
  const double tokens = selections(domain) / per_token;
  std::vector<double> values;
  for (std::size_t e = 0; e < domain.total.size(); ++e)
    values.push_back(
        npmi(static_cast<double>(domain.important[e]), marked, static_cast<double>(domain.total[e]), tokens));
  return values;
}

void add(std::vector<std::int64_t>& sum, const std::vector<std::int64_t>& more) {
  if (sum.size() != more.size())
    throw Error("routing counts of {} and {} experts cannot be summed", sum.size(), more.size());
  std::transform(sum.begin(), sum.end(), more.begin(), sum.begin(), std::plus<>());
}

}  // namespace

std::string_view name_of(Score score) { return kScores[static_cast<std::size_t>(score)]; }

std::span<const Score> all_scores() { return kAll; }

std::optional<Score> find_score(std::string_view name) {
  const auto found = std::find(kScores.begin(), kScores.end(), name);
  if (found == kScores.end()) return std::nullopt;
  return static_cast<Score>(found - kScores.begin());
}

Score parse_score(std::string_view name) {
  if (const auto score = find_score(name)) return *score;
  throw ConfigError("'{}' is no expert score; valid: {}", name, fmt::join(kScores, ", "));
}

std::int64_t selections_a_token(const model::ModelSpec& spec) {
  return spec.router.top_k * std::count(spec.is_moe_layer.begin(), spec.is_moe_layer.end(), true);
}

RoutingCounts sum_counts(std::span<const RoutingCounts> questions) {
  if (questions.empty()) throw Error("routing counts of no question cannot be summed");
  RoutingCounts sum = questions[0];
  for (const RoutingCounts& question : questions.subspan(1)) {
    add(sum.total, question.total);
    add(sum.important, question.important);
    add(sum.common, question.common);
  }
  return sum;
}

std::string why_undefined(Score score, const RoutingCounts& domain, std::span<const RoutingCounts> others) {
  const bool compares = score == Score::contrast || score == Score::risk_difference;
  if (compares && others.empty())
    return fmt::format("the score '{}' needs at least two domains; name more in axes.domain", name_of(score));
  const auto is_uncounted = [](const RoutingCounts& counts) { return sum_of(counts.total) == 0; };
  if (score == Score::risk_difference && std::all_of(others.begin(), others.end(), is_uncounted))
    return fmt::format("the score '{}' needs selections of the other domains, and none was counted",
                       name_of(score));
  const bool reads_important = score == Score::npmi || score == Score::risk_difference_importance;
  if (reads_important && sum_of(domain.important) == 0)
    return fmt::format(
        "the score '{}' needs important tokens, and there are none; lower discovery.percentile",
        name_of(score));
  if (score == Score::risk_difference_importance && sum_of(domain.common) == 0)
    return fmt::format("the score '{}' needs common tokens, and there are none; raise discovery.percentile",
                       name_of(score));
  return "";
}

std::vector<double> expert_scores(Score score, const RoutingCounts& domain,
                                  std::span<const RoutingCounts> others, std::int64_t selections_a_token) {
  selections(domain);
  if (const std::string problem = why_undefined(score, domain, others); !problem.empty())
    throw ConfigError("{}", problem);
  const auto per_token = static_cast<double>(selections_a_token);
  switch (score) {
    case Score::paper:
    case Score::released_code:
      return importance_scores(score, domain);
    case Score::frequency:
      return shares(domain);
    case Score::contrast:
      return contrasts(domain, others);
    case Score::risk_difference:
      return risk_differences(domain.total, sum_counts(others).total, per_token);
    case Score::risk_difference_importance:
      return risk_differences(domain.important, domain.common, per_token);
    case Score::npmi:
      return npmi_scores(domain, per_token);
  }
  return {};
}

std::vector<RankedExpert> rank(std::span<const double> scores, const model::ModelSpec& spec) {
  std::vector<RankedExpert> ranking;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    if (!spec.is_moe_layer[static_cast<std::size_t>(layer)]) continue;
    for (std::int64_t expert = 0; expert < spec.router.experts; ++expert)
      ranking.push_back(
          {{layer, expert}, scores[static_cast<std::size_t>(layer * spec.router.experts + expert)]});
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const RankedExpert& a, const RankedExpert& b) { return a.value > b.value; });
  return ranking;
}

std::vector<steering::ExpertId> top_experts(std::span<const RankedExpert> ranking, std::int64_t n_steered) {
  if (n_steered < 1 || n_steered > static_cast<std::int64_t>(ranking.size()))
    throw ConfigError("n_steered is {}, but the ranking has {} experts", n_steered, ranking.size());
  std::vector<steering::ExpertId> top;
  for (std::int64_t i = 0; i < n_steered; ++i) top.push_back(ranking[static_cast<std::size_t>(i)].id);
  return top;
}

}  // namespace moelab::discovery
