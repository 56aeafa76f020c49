// The router's formulas once more, one token at a time in double precision: what the self-test compares with.
#pragma once

#include <cstddef>
#include <vector>

#include "core/model/router.h"

namespace moelab::steering {

// What one token brings to the selection.
struct ScalarRow {
  std::vector<double> logits;          // [experts], a logit shift included
  std::vector<double> selection_bias;  // [experts]; empty: none
};

struct ScalarRouting {
  std::vector<std::size_t> order;  // all experts, the first chosen in front
  // [experts] what the selection compares: the logits where their rank alone counts, else score + bias, with
  // minus infinity in groups that are not kept.
  std::vector<double> choice;
  std::vector<double> weights;  // of the first top_k of `order`
  // Rounding decides, and the row cannot be compared: a logit at the very edge of the sparsemixer's mask, two
  // groups or, where the weights do not follow the choice, two experts that are nearly equal.
  bool is_ambiguous = false;
};

// Throws Error when the family's score function has no scalar formula here.
ScalarRouting route_scalar(const model::RouterSpec& spec, const ScalarRow& row, double tolerance);

}  // namespace moelab::steering
