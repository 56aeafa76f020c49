// The test of the router stage that every model passes at load, before a figure is made with it.
#pragma once

#include <string>
#include <vector>

#include "core/model/model.h"

namespace moelab::steering {

struct SelfTestReport {
  std::int64_t layers = 0;   // MoE layers tested
  std::int64_t experts = 0;  // experts tested in each
  std::int64_t tokens = 0;
  std::int64_t rows = 0;          // routings compared with the recomputation; near-ties are left out
  double largest_difference = 0;  // of weights against the independent recomputation
};

// Runs a short sequence of spread-out token ids and checks in every MoE layer, for a few experts: (a) force
// gives selection rate 1 and forbid 0; (b) a logit shift of +-(largest - smallest logit of the row + 1) gives
// the ids and weights of a scalar recomputation from the captured logits, selection biases and groups, and
// rates 1 and 0 where the logits alone decide the selection (not where a bias is added to a bounded score);
// (c) a plan of zeros is bit-identical to no plan. Throws Error naming layer, expert and what failed.
SelfTestReport self_test(const model::Model& model);

}  // namespace moelab::steering
