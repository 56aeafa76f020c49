#include "core/steering/scalar_router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"

namespace moelab::steering {
namespace {

// Experts whose choice values lie nearer than this many tolerances count as equal.
constexpr double kNearTie = 10;

std::vector<double> softmax_of(const std::vector<double>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> scores;
  for (const double logit : logits) scores.push_back(std::exp(logit - largest));
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& score : scores) score /= sum;
  return scores;
}

std::vector<double> scores_of(const model::RouterSpec& spec, const std::vector<double>& logits) {
  if (spec.score == &model::softmax_score) return softmax_of(logits);
  if (spec.score != &model::sigmoid_score)
    throw Error("self-test: this family's score function has no scalar formula to compare with");
  std::vector<double> scores;
  for (const double logit : logits) scores.push_back(1 / (1 + std::exp(-logit)));
  return scores;
}

std::vector<std::size_t> descending(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  return order;
}

// By how much the value of rank `rank` leads the next one.
double lead(const std::vector<double>& values, const std::vector<std::size_t>& order, std::size_t rank) {
  return rank + 1 < order.size() ? values[order[rank]] - values[order[rank + 1]]
                                 : std::numeric_limits<double>::infinity();
}

// What a group of choice values is judged by.
double group_value(const model::RouterSpec& spec, std::vector<double> group) {
  std::sort(group.begin(), group.end(), std::greater<>());
  return spec.group_score == model::GroupScore::largest ? group[0] : group[0] + group[1];
}

void drop_groups(const model::RouterSpec& spec, double tolerance, ScalarRouting& routing) {
  const auto groups = static_cast<std::size_t>(spec.groups),
             kept = static_cast<std::size_t>(spec.groups_kept);
  if (kept >= groups) return;
  const std::size_t size = routing.choice.size() / groups;
  std::vector<double> values;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto begin = routing.choice.begin() + static_cast<std::ptrdiff_t>(g * size);
    values.push_back(group_value(spec, {begin, begin + static_cast<std::ptrdiff_t>(size)}));
  }
  const auto order = descending(values);
  if (lead(values, order, kept - 1) < kNearTie * tolerance) routing.is_ambiguous = true;
  for (std::size_t rank = kept; rank < groups; ++rank)
    for (std::size_t e = order[rank] * size; e < (order[rank] + 1) * size; ++e)
      routing.choice[e] = -std::numeric_limits<double>::infinity();
}

void add_score_weights(const model::RouterSpec& spec, const std::vector<double>& scores,
                       ScalarRouting& routing) {
  const auto top_k = static_cast<std::size_t>(spec.top_k);
  for (std::size_t k = 0; k < top_k; ++k) routing.weights.push_back(scores[routing.order[k]]);
  const double sum = std::accumulate(routing.weights.begin(), routing.weights.end(), 0.0);
  const double divisor = spec.renormalise ? std::max(sum + spec.sum_offset, spec.smallest_sum) : 1.0;
  for (double& weight : routing.weights) weight *= spec.weight_multiplier / divisor;
}

ScalarRouting route_by_scores(const model::RouterSpec& spec, const ScalarRow& row, double tolerance) {
  const std::vector<double> scores = scores_of(spec, row.logits);
  // Softmax keeps the order of experts and of their groups' largest; logits tell them apart even where one
  // probability leaves next to nothing for the rest.
  const bool by_rank = spec.score == &model::softmax_score && row.selection_bias.empty() &&
                       (spec.groups_kept == spec.groups || spec.group_score == model::GroupScore::largest);
  ScalarRouting routing;
  routing.choice = by_rank ? row.logits : scores;
  for (std::size_t e = 0; e < row.selection_bias.size(); ++e) routing.choice[e] += row.selection_bias[e];
  drop_groups(spec, tolerance, routing);
  routing.order = descending(routing.choice);
  // Without a bias experts of nearly equal choice have nearly equal weights, and either may be chosen.
  for (std::size_t k = 0; !row.selection_bias.empty() && k < static_cast<std::size_t>(spec.top_k); ++k)
    if (lead(routing.choice, routing.order, k) < kNearTie * tolerance) routing.is_ambiguous = true;
  add_score_weights(spec, scores, routing);
  return routing;
}

ScalarRouting route_by_sparsemixer(const model::RouterSpec& spec, const std::vector<double>& logits,
                                   double tolerance) {
  ScalarRouting routing;
  routing.choice = logits;
  routing.order = descending(logits);
  const double edge = 2 * *spec.sparsemixer_eps;
  for (std::size_t k = 0; k < static_cast<std::size_t>(spec.top_k); ++k) {
    const double largest = logits[routing.order[k]];
    double sum = 0;
    // Experts before k in the order were chosen already and are out.
    for (std::size_t i = k; i < logits.size(); ++i) {
      const double logit = logits[routing.order[i]];
      const double ratio = (largest - logit) / std::max(std::abs(logit), largest);
      if (std::abs(ratio - edge) < tolerance) routing.is_ambiguous = true;
      if (!(ratio > edge)) sum += std::exp(logit - largest);
    }
    routing.weights.push_back(1 / sum);
  }
  return routing;
}

}  // namespace

ScalarRouting route_scalar(const model::RouterSpec& spec, const ScalarRow& row, double tolerance) {
  return spec.sparsemixer_eps ? route_by_sparsemixer(spec, row.logits, tolerance)
                              : route_by_scores(spec, row, tolerance);
}

}  // namespace moelab::steering
