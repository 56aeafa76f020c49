// How many members two sets share when each is drawn at random layer by layer: the null of expert overlap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moelab::statistics {

// Two sets' members in one layer of `size` experts.
struct LayerSets {
  std::int64_t size = 0;
  std::int64_t first = 0;
  std::int64_t second = 0;
};

// chance[s]: that the sets share s experts in all when each layer's members are drawn uniformly and apart:
// the convolution of the layers' hypergeometric distributions, C(first, s) C(size - first, second - s) /
// C(size, second). Throws Error when a layer has more members than experts, or a number is negative.
std::vector<double> shared_distribution(std::span<const LayerSets> layers);

// The mean Jaccard index |A and B| / |A or B| under that distribution; 1 for two empty sets.
double expected_jaccard(std::span<const LayerSets> layers);

}  // namespace moelab::statistics
