#include "core/model/router.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "core/model/sparsemixer.h"

namespace moelab::model {
namespace {

// Larger than any score, and finite: an infinity would turn into NaN in routers that compare by ratios.
constexpr double kSelectionBound = 1e30;
// Stands for a score that has underflowed, so that its logarithm is finite.
constexpr double kSmallestScore = 1e-38;
// Below every score and above what is forbidden: forbidding never brings an expert back.
constexpr double kGroupMask = -1e20;

struct Selection {
  at::Tensor ids;            // [tokens, top_k]
  at::Tensor weights;        // [tokens, top_k]
  at::Tensor choice_scores;  // [tokens, experts] that decide the selection, before a selection bias
  at::Tensor weight_scores;  // [tokens, experts] that give the weights; the same tensor in one branch
};

at::Tensor select_weights(const RouterSpec& spec, const at::Tensor& scores, const at::Tensor& ids) {
  if (spec.sparsemixer_eps) return sparsemixer_weights(scores, ids, *spec.sparsemixer_eps);
  at::Tensor weights = scores.gather(-1, ids);
  if (spec.renormalise) {
    at::Tensor sum = weights.sum(-1, true);
    if (spec.sum_offset != 0.0) sum = sum + spec.sum_offset;
    if (spec.smallest_sum > 0.0) sum = sum.clamp_min(spec.smallest_sum);
    weights = weights / sum;
  }
  return spec.weight_multiplier == 1.0 ? weights : weights * spec.weight_multiplier;
}

// Takes the experts of all but the best groups out of `choice` [tokens, experts]. Forced experts bring their
// group in, and are selected even where more groups hold one than are kept; forbidden ones weigh it down, by
// less than a forced one lifts it.
at::Tensor mask_groups(const RouterSpec& spec, const at::Tensor& choice) {
  const at::Tensor grouped = choice.unflatten(-1, {spec.groups, spec.experts / spec.groups});
  const at::Tensor judged = grouped.clamp_min(kGroupMask);
  const at::Tensor score = spec.group_score == GroupScore::largest
                               ? judged.amax(-1)
                               : std::get<0>(at::topk(judged, 2, -1)).sum(-1);
  const at::Tensor kept = std::get<1>(at::topk(score, spec.groups_kept, -1));
  const at::Tensor is_out = at::ones_like(score, at::kBool).scatter(-1, kept, false);
  const at::Tensor is_free = grouped.abs() < kSelectionBound / 2;  // neither forced nor forbidden
  return grouped.masked_fill(is_out.unsqueeze(-1).logical_and(is_free), kGroupMask).flatten(-2);
}

// The experts of the largest choice values. For the sparsemixer, whose weights depend on the order, equal
// values (two forced experts) come by ascending id.
at::Tensor select_ids(const RouterSpec& spec, const at::Tensor& choice) {
  const at::Tensor seen = spec.groups_kept < spec.groups ? mask_groups(spec, choice) : choice;
  const at::Tensor ids = std::get<1>(at::topk(seen, spec.top_k, -1));
  if (!spec.sparsemixer_eps) return ids;
  const at::Tensor ascending = std::get<0>(ids.sort(-1));
  const at::Tensor order =
      choice.gather(-1, ascending).argsort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
  return ascending.gather(-1, order);
}

// Scores of all experts times `scale`, brought back to the same total: probabilities and sigmoids by their
// sum, logits (those of the probabilities that they stand for) by their log-sum-exp.
at::Tensor scale_scores(const RouterSpec& spec, const at::Tensor& scores, const at::Tensor& scale) {
  if (spec.sparsemixer_eps) {
    const at::Tensor scaled = scores + scale.log();
    return scaled + (at::logsumexp(scores, {-1}, true) - at::logsumexp(scaled, {-1}, true));
  }
  const at::Tensor scaled = scores * scale;
  if (spec.score == &softmax_score) return scaled / scaled.sum(-1, true);
  return scaled * (scores.sum(-1, true) / scaled.sum(-1, true));
}

Selection select_plain(const RouterSpec& spec, const RouterWeights& weights, const at::Tensor& logits) {
  const at::Tensor scores = spec.score(logits);
  const at::Tensor choice = weights.selection_bias.defined() ? scores + weights.selection_bias : scores;
  const at::Tensor ids = select_ids(spec, choice);
  return {ids, select_weights(spec, scores, ids), scores, scores};
}

// The row of `table` [plans, ...] that belongs to each token.
at::Tensor by_token(const at::Tensor& table, const RouterSteering& steering) {
  return table.index_select(0, steering.plan_of_token);
}

// Forced experts get the row's largest logit plus a margin, forbidden ones the smallest minus it.
at::Tensor force_logits(const at::Tensor& shifted, const at::Tensor& plain, const RouterSteering& steering) {
  const LayerSteering& layer = *steering.layer;
  at::Tensor logits = shifted;
  if (layer.force.defined())
    logits = at::where(by_token(layer.force, steering), plain.amax(-1, true) + kForceMargin, logits);
  if (layer.forbid.defined())
    logits = at::where(by_token(layer.forbid, steering), plain.amin(-1, true) - kForceMargin, logits);
  return logits;
}

// Scores of one branch (selection or weights) after the logit shift, forced logits and the score scale.
at::Tensor steered_scores(const RouterSpec& spec, const at::Tensor& logits, const at::Tensor& shift,
                          const RouterSteering& steering) {
  const LayerSteering& layer = *steering.layer;
  const at::Tensor shifted = shift.defined() ? logits + by_token(shift, steering) : logits;
  at::Tensor scores = spec.score(force_logits(shifted, logits, steering));
  if (layer.score_scale.defined()) {
    const at::Tensor scale = by_token(layer.score_scale, steering);
    // Rows without a scale keep their bits: dividing by a sum that is one but for rounding would change them.
    const at::Tensor acts = (scale != 1.0).any(-1, true);
    scores = at::where(acts, scale_scores(spec, scores, scale), scores);
  }
  return scores;
}

at::Tensor scale_weights(const at::Tensor& weights, const at::Tensor& ids, const RouterSteering& steering) {
  const LayerSteering& layer = *steering.layer;
  const at::Tensor scale = by_token(layer.weight_scale, steering).gather(-1, ids);
  const at::Tensor scaled = weights * scale;
  const at::Tensor restored = scaled * (weights.sum(-1, true) / scaled.sum(-1, true));
  const at::Tensor keep_mass =
      by_token(layer.keep_mass, steering).unsqueeze(-1).logical_and((scale != 1.0).any(-1, true));
  return at::where(keep_mass, restored, scaled);
}

Selection select_steered(const RouterSpec& spec, const RouterWeights& weights, const at::Tensor& logits,
                         const RouterSteering& steering) {
  const LayerSteering& layer = *steering.layer;
  Selection selection;
  selection.choice_scores = steered_scores(spec, logits, layer.select_shift, steering);
  const bool one_branch = layer.select_shift.is_same(layer.weight_shift);
  selection.weight_scores =
      one_branch ? selection.choice_scores : steered_scores(spec, logits, layer.weight_shift, steering);
  at::Tensor choice = selection.choice_scores;
  if (weights.selection_bias.defined()) choice = choice + weights.selection_bias;
  if (layer.force.defined()) choice = at::where(by_token(layer.force, steering), kSelectionBound, choice);
  if (layer.forbid.defined()) choice = at::where(by_token(layer.forbid, steering), -kSelectionBound, choice);
  selection.ids = select_ids(spec, choice);
  selection.weights = select_weights(spec, selection.weight_scores, selection.ids);
  if (layer.weight_scale.defined())
    selection.weights = scale_weights(selection.weights, selection.ids, steering);
  return selection;
}

// ln of the distribution over all experts that the scores make, [tokens, experts] float64.
at::Tensor log_distribution(const RouterSpec& spec, const at::Tensor& scores) {
  const at::Tensor values = scores.detach().to(at::kDouble);
  if (spec.sparsemixer_eps) return at::log_softmax(values, -1);
  const at::Tensor positive = values.clamp_min(kSmallestScore);
  return (positive / positive.sum(-1, true)).log();
}

// KL(steered || plain) by token, see route.
at::Tensor divergence(const RouterSpec& spec, const Selection& steered, const Selection& plain,
                      const RouterSteering& steering) {
  const at::Tensor unsteered = log_distribution(spec, plain.weight_scores);
  const auto from_plain = [&](const at::Tensor& scores) {
    const at::Tensor moved = log_distribution(spec, scores);
    return (moved.exp() * (moved - unsteered)).sum(-1);
  };
  const at::Tensor of_choice = from_plain(steered.choice_scores);
  const at::Tensor& scale = steering.layer->weight_scale;
  if (!scale.defined() && steered.weight_scores.is_same(steered.choice_scores)) return of_choice;
  const at::Tensor weighted = scale.defined()
                                  ? scale_scores(spec, steered.weight_scores, by_token(scale, steering))
                                  : steered.weight_scores;
  return at::maximum(of_choice, from_plain(weighted));
}

void count_effects(const RouterSpec& spec, const RouterWeights& weights, const at::Tensor& logits,
                   const Selection& steered, const RouterSteering& steering) {
  const LayerSteering& layer = *steering.layer;
  const Selection plain = select_plain(spec, weights, logits.detach());
  const at::Tensor nothing = at::zeros_like(logits, at::kFloat);
  const at::Tensor plain_weights = nothing.scatter(-1, plain.ids, plain.weights);
  const at::Tensor steered_weights = nothing.scatter(-1, steered.ids, steered.weights.detach());
  const at::Tensor was_selected = nothing.scatter(-1, plain.ids, 1.0);
  const at::Tensor acts = by_token(layer.acts, steering).to(at::kDouble);
  const at::Tensor changed =
      static_cast<double>(spec.top_k) - was_selected.gather(-1, steered.ids).sum(-1).to(at::kDouble);
  const at::Tensor moved = (steered_weights - plain_weights).abs().sum(-1).to(at::kDouble) / spec.top_k;
  const at::Tensor hits =
      by_token(layer.is_steered, steering).gather(-1, steered.ids).sum(-1).to(at::kDouble);
  const at::Tensor dose = divergence(spec, steered, plain, steering) * acts;
  const at::Tensor columns = at::stack({acts, changed * acts, moved * acts, hits, dose}, -1);
  at::Tensor sums = steering.effects;
  sums.index_add_(0, steering.plan_of_token, columns);
}

}  // namespace

at::Tensor softmax_score(const at::Tensor& logits) { return at::softmax(logits, -1, at::kFloat); }

at::Tensor sigmoid_score(const at::Tensor& logits) { return logits.to(at::kFloat).sigmoid(); }

at::Tensor logit_score(const at::Tensor& logits) { return logits.to(at::kFloat); }

Routing route(const RouterSpec& spec, const RouterWeights& weights, const at::Tensor& hidden,
              const RouterSteering* steering) {
  const at::Tensor logits =
      at::linear(spec.in_float ? hidden.to(at::kFloat) : hidden, weights.weight, weights.bias);
  if (steering == nullptr) {
    Selection plain = select_plain(spec, weights, logits);
    return {logits, plain.ids, plain.weights};
  }
  Selection steered = select_steered(spec, weights, logits, *steering);
  if (steering->effects.defined()) count_effects(spec, weights, logits, steered, *steering);
  return {logits, steered.ids, steered.weights};
}

}  // namespace moelab::model
