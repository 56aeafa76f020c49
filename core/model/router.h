// The router stage: hidden states to selected experts and their weights, with steering as a part of it.
//
// hidden -> linear (+ bias) -> router logits -> [1] logit shift -> score function (+ selection bias)
//        -> [2] force / forbid -> group mask -> top-k -> weights (renormalise, multiply) -> [3] weight scale
//        -> experts
// Steering is a stage and not a hook beside it, so it cannot miss silently: captures and effect counters are
// taken here, where the experts consume the result.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace moelab::model {

// Router logits [tokens, experts] to scores [tokens, experts], in float32.
using ScoreFunction = at::Tensor (*)(const at::Tensor& logits);

at::Tensor softmax_score(const at::Tensor& logits);
at::Tensor sigmoid_score(const at::Tensor& logits);
at::Tensor logit_score(const at::Tensor& logits);  // the logits themselves, for the sparsemixer

// What a group of experts is judged by, where only the best groups take part in the selection.
enum class GroupScore { largest, two_largest_summed };

struct RouterSpec {
  std::int64_t experts = 0;
  std::int64_t top_k = 0;
  bool renormalise = false;  // divide the selected scores by their sum
  ScoreFunction score = nullptr;
  std::optional<double> sparsemixer_eps;  // then weights are sparsemixer_weights of the scores (the logits)
  bool in_float = false;                  // the linear layer runs in float32 whatever the model's dtype
  bool has_bias = false;                  // of the linear layer
  bool has_selection_bias = false;        // added to the scores for the choice alone
  double sum_offset = 0.0;                // added to the sum that renormalising divides by
  double smallest_sum = 0.0;              // lower bound of that sum
  double weight_multiplier = 1.0;         // of the weights, after renormalising
  std::int64_t groups = 1;                // of equally many neighbouring experts
  std::int64_t groups_kept = 1;           // experts of other groups are not selected
  GroupScore group_score = GroupScore::largest;
};

struct RouterWeights {
  at::Tensor weight;          // [experts, hidden]
  at::Tensor bias;            // [experts], or undefined
  at::Tensor selection_bias;  // [experts] float32, or undefined
};

// What steering does to one layer, for every plan of a batch; row 0 is the plan that does nothing.
// A member that no plan of the batch needs is left undefined, and its step is not executed.
struct LayerSteering {
  at::Tensor select_shift;  // [plans, experts] float32, added to the logits that decide the selection
  at::Tensor weight_shift;  // [plans, experts] float32, added to the logits that give the weights
  at::Tensor score_scale;   // [plans, experts] float32, multiplies the scores, which are then renormalised
  at::Tensor weight_scale;  // [plans, experts] float32, multiplies the weights after top-k
  at::Tensor keep_mass;     // [plans] bool: after weight_scale restore the token's total weight
  at::Tensor force;         // [plans, experts] bool
  at::Tensor forbid;        // [plans, experts] bool
  at::Tensor is_steered;    // [plans, experts] bool: the experts that the plan names, for the counters
  at::Tensor acts;          // [plans] bool: the plan has an entry in this layer
};

// Sums over tokens for each plan in one layer, [plans, kEffectColumns] float64 on the CPU or the model's
// device.
enum EffectColumn : std::int64_t {
  kEffectTokens,       // token rows that passed with the plan applied
  kEffectChanged,      // selections that the unsteered router would not have made on the same hidden state
  kEffectWeight,       // sum over tokens of the mean absolute weight change over the top_k selected experts
  kEffectSteeredHits,  // selections of experts that the plan names
  kEffectDivergence,   // sum over tokens of KL(steered || unsteered) over all experts, in nats, see route
  kEffectColumns
};

// Steering for one call of `route`: the layer's tables, each token's plan, and where to add the effects.
struct RouterSteering {
  const LayerSteering* layer = nullptr;
  at::Tensor plan_of_token;  // [tokens] int64
  at::Tensor effects;        // [plans, kEffectColumns] float64, added to; undefined: not counted
};

struct Routing {
  at::Tensor logits;   // [tokens, experts] as the linear layer gave them, unsteered
  at::Tensor ids;      // [tokens, top_k] int64, by descending score
  at::Tensor weights;  // [tokens, top_k] float32
};

// `hidden` is [tokens, hidden]. Differentiable in `hidden` through the logits and weights. `steering` may be
// null.
//
// The divergence counted is that of the distributions which the scores of all experts make (before top-k and
// without a selection bias; scores divided by their sum, the sparsemixer's by a softmax) with and without
// steering on the same hidden state: sum_e p_e ln(p_e / q_e). Forced and forbidden experts count with their
// margin, which keeps it finite. Where selection and weights are steered apart the larger of the two counts.
Routing route(const RouterSpec& spec, const RouterWeights& weights, const at::Tensor& hidden,
              const RouterSteering* steering);

// SteerMoE's margin for forced and forbidden experts (arXiv 2509.09660, Eq. 6-10).
inline constexpr double kForceMargin = 0.01;

}  // namespace moelab::model
