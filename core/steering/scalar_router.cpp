#include "core/steering/scalar_router.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace moelab::steering {
namespace {

std::vector<double> softmax_weights(const model::RouterSpec& spec, const std::vector<double>& logits,
                                    const std::vector<std::size_t>& order) {
  const double largest = logits[order[0]];
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  std::vector<double> weights;
  for (std::size_t k = 0; k < static_cast<std::size_t>(spec.top_k); ++k)
    weights.push_back(std::exp(logits[order[k]] - largest) / sum);
  const double selected = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (spec.renormalise)
    for (double& weight : weights) weight /= selected;
  return weights;
}

void add_sparsemixer_weights(const model::RouterSpec& spec, const std::vector<double>& logits,
                             double tolerance, ScalarRouting& routing) {
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
}

}  // namespace

ScalarRouting route_scalar(const model::RouterSpec& spec, const std::vector<double>& logits,
                           double tolerance) {
  ScalarRouting routing;
  routing.order.resize(logits.size());
  std::iota(routing.order.begin(), routing.order.end(), std::size_t{0});
  std::stable_sort(routing.order.begin(), routing.order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (spec.sparsemixer_eps)
    add_sparsemixer_weights(spec, logits, tolerance, routing);
  else if (spec.score == &model::softmax_score)
    routing.weights = softmax_weights(spec, logits, routing.order);
  else
    throw Error("self-test: this family's score function has no scalar formula to compare with");
  return routing;
}

}  // namespace moelab::steering
