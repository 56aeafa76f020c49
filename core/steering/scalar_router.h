// The router's formulas once more, one token at a time in double precision: what the self-test compares with.
#pragma once

#include <cstddef>
#include <vector>

#include "core/model/router.h"

namespace moelab::steering {

struct ScalarRouting {
  std::vector<std::size_t> order;  // all experts by descending logit
  std::vector<double> weights;     // of the first top_k of them
  // The sparsemixer leaves out logits more than 2 eps below the largest; true when one lies so near that edge
  // that rounding decides, and the weights cannot be compared.
  bool is_ambiguous = false;
};

// Throws Error when the family's score function has no scalar formula here.
ScalarRouting route_scalar(const model::RouterSpec& spec, const std::vector<double>& logits,
                           double tolerance);

}  // namespace moelab::steering
