#include "experiments/statistics/overlap.h"

#include <algorithm>
#include <boost/math/distributions/hypergeometric.hpp>

#include "core/base/error.h"
#include "experiments/statistics/exact_sum.h"

namespace moelab::statistics {
namespace {

std::vector<Outcome> layer_distribution(const LayerSets& layer) {
  if (std::min({layer.size, layer.first, layer.second}) < 0 ||
      std::max(layer.first, layer.second) > layer.size)
    throw Error("{} and {} members do not fit a layer of {} experts", layer.first, layer.second, layer.size);
  const boost::math::hypergeometric law(static_cast<unsigned>(layer.first),
                                        static_cast<unsigned>(layer.second),
                                        static_cast<unsigned>(layer.size));
  const std::int64_t least = std::max<std::int64_t>(0, layer.first + layer.second - layer.size);
  std::vector<Outcome> outcomes;
  for (std::int64_t s = least; s <= std::min(layer.first, layer.second); ++s)
    outcomes.push_back({s, boost::math::pdf(law, static_cast<unsigned>(s))});
  return outcomes;
}

}  // namespace

std::vector<double> shared_distribution(std::span<const LayerSets> layers) {
  ExactSum shared;
  for (const LayerSets& layer : layers) shared.add(layer_distribution(layer));
  return shared.chances();
}

double expected_jaccard(std::span<const LayerSets> layers) {
  std::int64_t members = 0;
  for (const LayerSets& layer : layers) members += layer.first + layer.second;
  if (members == 0) return 1;
  const std::vector<double> chance = shared_distribution(layers);
  double mean = 0;
  for (std::size_t s = 0; s < chance.size(); ++s)
    mean += chance[s] * static_cast<double>(s) / static_cast<double>(members - static_cast<std::int64_t>(s));
  return mean;
}

}  // namespace moelab::statistics
