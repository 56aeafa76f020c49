// What routing tells of the domain, layer by layer, against permuted labels.
#pragma once

#include <cstdint>
#include <vector>

#include "experiments/verdict.h"

namespace moelab::experiments {

struct LayerInformation {
  std::size_t layer = 0;
  double bits = 0;       // mutual information between the domain and the expert of a selection
  double null_bits = 0;  // its mean under permuted labels: what so few questions show of nothing
  double p = 1;          // (1 + permutations with at least as much) / (permutations + 1)
};

// Layers without selections are left out. I = mean over domains d of sum_e p(e|d) log2(p(e|d) / p(e)) with
// p(e) the mean of p(e|d): domains count alike, whatever their tokens, so it is at most log2(domains). Labels
// are permuted over groups. Throws Error when input.options.experts is no multiple of experts_a_layer.
std::vector<LayerInformation> layer_information(const ExistenceInput& input, std::size_t experts_a_layer,
                                                int permutations = 99);

}  // namespace moelab::experiments
