"""The reference for steering: the router's forward itself is replaced, so a change reaches the experts.

A forward hook that edits the first element of the router's output tuple would not: the sparse block drops
that element and uses the weights and ids beside it.
"""
import collections
import dataclasses
import math

import torch
import torch.nn.functional as F

from checkpoints import family_module

Routing = collections.namedtuple("Routing", "logits experts weights gap log_gap")


@dataclasses.dataclass(frozen=True)
class Rule:
    """How a family routes. kind: "softmax" (weights are the scores), "renormalised" (divided by their sum) or
    "sparsemixer" (with its eps). The rest is for routers whose choice and weights part:

    choice = scores + selection bias, limited to the best groups; weights = scores of the chosen, which are divided
    by max(sum + renorm_eps, renorm_min) when renormalised, and multiplied by `multiplier` last.
    """

    k: int
    kind: str
    eps: float = None
    score: str = "softmax"  # or "sigmoid": every expert for itself
    has_selection_bias: bool = False
    groups: int = 1  # of experts, equal in size and in order of the ids
    groups_kept: int = 1  # a token's experts come from this many groups
    group_score: str = "top2_sum"  # of the choice values in a group; or "max"
    renorm_eps: float = 0.0
    renorm_min: float = 0.0
    multiplier: float = 1.0

    def is_plain_softmax(self):
        """Softmax scores that alone decide: the choice is by rank, so a gap of log scores is as good as one."""
        return self.score == "softmax" and not self.has_selection_bias


def rule_of(config):
    module = family_module(config)
    if module is not None:
        return module.rule(config)
    k, family = config["num_experts_per_tok"], config["model_type"]
    if family == "phimoe":
        return Rule(k, "sparsemixer", config["router_jitter_noise"])
    # granitemoe: the softmax over the chosen logits is the softmax over all, divided by the sum of the chosen.
    normalise = family == "granitemoe" or config["norm_topk_prob"]
    return Rule(k, "renormalised" if normalise else "softmax", None)


SHIFTING = ("logit_shift", "logit_shift_selection_only")


def layer_rules(plan, layer):
    """(operation, value) by expert for one layer; empty when the plan says nothing about it."""
    if plan is None:
        return {}
    return {e["expert"]: (e["operation"], e["value"]) for e in plan["entries"] if e["layer"] == layer}


def pinned(logits, original, rules):
    """Force and forbid on the logits: 0.01 above the row's largest and below its smallest original logit."""
    logits = logits.clone()
    for expert, (operation, _) in rules.items():
        if operation == "force":
            logits[:, expert] = original.amax(-1) + 0.01
        elif operation == "forbid":
            logits[:, expert] = original.amin(-1) - 0.01
    return logits


def choice_scores(scores, rules):
    """What top-k looks at: a forced expert beats all, a forbidden one loses to all."""
    choice = scores.clone()
    for expert, (operation, _) in rules.items():
        if operation in ("force", "forbid"):
            choice[:, expert] = math.inf if operation == "force" else -math.inf
    return choice


def sparsemixer_weights(logits, experts, eps):
    """The weight of each chosen expert, in the order of choice: e^s over the sum of e^s of the experts not chosen
    before it whose logit is not more than 2 eps below its own, relative to the larger of |s| and its own logit.

    Without steering the chosen one has the largest logit of those left, and this is transformers' formula; under
    steering that changes the selection alone it stays defined, and a weight stays between 0 and 1.
    """
    left, weights = torch.ones_like(logits, dtype=torch.bool), []
    for slot in range(experts.shape[-1]):
        expert = experts[:, slot, None]
        own = logits.gather(-1, expert)
        far = (own - logits) / torch.maximum(logits.abs(), own) > 2 * eps
        near = logits.masked_fill(far | ~left, -math.inf)
        weights.append(near.softmax(-1).gather(-1, expert))
        left = left.scatter(-1, expert, False)
    return torch.cat(weights, -1)


def sparsemixer_gaps(logits, choice, experts, eps):
    """Smallest distance of logits from each chosen expert to the next in line; and the margin over all decisions,
    scaled so that 1e-3 is enough: 1e-4 between logits, 2e-5 between a ratio and the edge of the mask.
    """
    ordered = choice.sort(-1, descending=True).values.double()
    k = experts.shape[-1]
    steps = ordered[:, :k] - ordered[:, 1:k + 1]
    own = logits.gather(-1, experts)[:, :, None]
    ratio = (own - logits[:, None]) / torch.maximum(logits.abs()[:, None], own)
    edge = (ratio - 2 * eps).abs().min().item()
    step = torch.where(torch.isnan(steps) | torch.isinf(steps), math.inf, steps).min().item()
    return step, min(10 * step, 50 * edge)


# The choice value of experts in dropped groups: below every score, above what is forbidden.
MASKED = -1e20


def gaps(choice, k):
    """Smallest distance between the last chosen and the first unchosen expert: of scores and of log scores."""
    ordered = choice.sort(-1, descending=True).values.double()
    last, first = ordered[:, k - 1], ordered[:, k]
    sure = torch.isinf(last) | torch.isinf(first) | ((first == MASKED) & (last > MASKED))
    absolute = torch.where(sure, math.inf, last - first)
    ratio = torch.where(sure, math.inf, last.clamp_min(1e-300).log() - first.clamp_min(1e-300).log())
    return absolute.min().item(), ratio.min().item()


def alpha_of(rules, experts):
    alpha = torch.ones(experts)
    for expert, (operation, value) in rules.items():
        if operation == "scale":
            alpha[expert] = value
    return alpha


def scale_weights(weights, alpha, keep_sum):
    before = weights.sum(-1, keepdim=True)
    weights = weights * alpha
    return weights * (before / weights.sum(-1, keepdim=True)) if keep_sum else weights


def route_sparsemixer(logits, rule, mode, rules):
    """Phi-MoE: experts by descending logit; scaled probabilities go back to logits, log sum exp of the row kept."""
    alpha = alpha_of(rules, logits.shape[-1])
    scores = pinned(logits + alpha.log() if mode in SHIFTING else logits, logits, rules)
    if mode == "prob_scale_renorm":
        scaled = scores + alpha.log()
        scores = scaled + (scores.logsumexp(-1, keepdim=True) - scaled.logsumexp(-1, keepdim=True))
    choice = choice_scores(scores, rules)
    experts = choice.sort(stable=True, dim=-1, descending=True).indices[:, :rule.k]
    if mode == "logit_shift_selection_only":
        scores = pinned(logits, logits, rules)
    weights = sparsemixer_weights(scores, experts, rule.eps)
    if mode in ("weight_scale", "weight_scale_renorm"):
        weights = scale_weights(weights, alpha[experts], mode == "weight_scale_renorm")
    return Routing(logits, experts, weights,
                   *sparsemixer_gaps(scores.detach(), choice.detach(), experts, rule.eps))


def score(logits, rule):
    return logits.float().sigmoid() if rule.score == "sigmoid" else F.softmax(logits, dim=-1, dtype=torch.float)


def scaled_scores(scores, alpha, rule):
    """prob_scale_renorm: the scores of all experts scaled, then the row brought back to the total it had."""
    scaled = scores * alpha
    if rule.score == "softmax":
        return scaled / scaled.sum(-1, keepdim=True)
    return scaled * (scores.sum(-1, keepdim=True) / scaled.sum(-1, keepdim=True))


# Stand for "whatever else" in sums over a group, where infinities would cancel into NaN; a forced expert
# outweighs a forbidden one beside it.
FORCED, FORBIDDEN = 1e30, -1e20


def group_limited(choice, rule, rules):
    """The choice values with MASKED in the groups that are not kept, and the margin between the last kept group and
    the first dropped one. Forced experts bring their group in; forbidden ones weigh it down.
    """
    pinned_choice = choice_scores(choice, rules).clamp(FORBIDDEN, FORCED)
    grouped = pinned_choice.view(len(choice), rule.groups, -1)
    if rule.group_score == "max":
        group_scores = grouped.amax(-1)
    else:
        group_scores = grouped.topk(2, dim=-1).values.sum(-1)
    ordered = group_scores.sort(-1, descending=True)
    kept = torch.zeros_like(group_scores, dtype=torch.bool)
    kept = kept.scatter(-1, ordered.indices[:, :rule.groups_kept], True)
    last, first = ordered.values[:, rule.groups_kept - 1], ordered.values[:, rule.groups_kept]
    sure = (last > 1e10) | (first < -1e10)
    margin = torch.where(sure, math.inf, (last - first).double()).min().item()
    dropped = ~kept[:, :, None].expand_as(grouped).reshape(choice.shape)
    return choice.masked_fill(dropped, MASKED), margin


def choose(scores, rule, rules, bias):
    """Choice values after selection bias, groups, force and forbid; and the margin between groups."""
    choice, margin = scores, math.inf
    if rule.has_selection_bias:
        choice = choice + bias
    if rule.groups > rule.groups_kept:
        choice, margin = group_limited(choice, rule, rules)
    return choice_scores(choice, rules), margin


def weights_of(scores, experts, rule):
    weights = scores.gather(-1, experts)
    if rule.kind == "renormalised":
        total = weights.sum(-1, keepdim=True)
        total = total + rule.renorm_eps if rule.renorm_eps else total
        weights = weights / (total.clamp(min=rule.renorm_min) if rule.renorm_min else total)
    return weights * rule.multiplier if rule.multiplier != 1 else weights


def margins(choice, rule, between_groups):
    """The smallest gap, and the one that must exceed 1e-3 under plans: of log scores where the scores alone decide;
    elsewhere, as for the sparsemixer, scaled so that 1e-4 between choice values is enough.
    """
    absolute, ratio = gaps(choice, rule.k)
    absolute = min(absolute, between_groups)
    return absolute, min(ratio, 10 * between_groups) if rule.is_plain_softmax() else 10 * absolute


def route(logits, rule, mode, rules, bias=None):
    """One layer's routing, [tokens, experts] logits to k experts and weights a token. bias [experts] is added to
    the scores for the choice alone.
    """
    if rule.kind == "sparsemixer":
        return route_sparsemixer(logits, rule, mode, rules)
    alpha = alpha_of(rules, logits.shape[-1])
    shifted = logits + alpha.log() if mode in SHIFTING else logits
    scores = score(pinned(shifted, logits, rules), rule)
    if mode == "prob_scale_renorm":
        scores = scaled_scores(scores, alpha, rule)
    choice, between_groups = choose(scores, rule, rules, bias)
    experts = choice.topk(rule.k, dim=-1).indices
    if mode == "logit_shift_selection_only":
        scores = score(pinned(logits, logits, rules), rule)
    weights = weights_of(scores, experts, rule)
    if mode in ("weight_scale", "weight_scale_renorm"):
        weights = scale_weights(weights, alpha[experts], mode == "weight_scale_renorm")
    return Routing(logits, experts, weights, *margins(choice.detach(), rule, between_groups))


class SteeredRouter:
    """Stands in for one router's forward and keeps what the experts were given."""

    def __init__(self, gate, rule, layer):
        self.gate, self.rule, self.layer, self.plan, self.seen = gate, rule, layer, None, None

    def __call__(self, hidden):
        logits = F.linear(hidden.reshape(-1, hidden.shape[-1]), self.gate.weight, getattr(self.gate, "bias", None))
        mode = "none" if self.plan is None else self.plan["mode"]
        rules = layer_rules(self.plan, self.layer)
        self.seen = route(logits, self.rule, mode, rules, selection_bias(self.gate))
        return logits, self.seen.weights, self.seen.experts

    def plain(self, logits):
        return route(logits, self.rule, "none", {}, selection_bias(self.gate))


def selection_bias(gate):
    """[experts] that the router adds to its scores for the choice, or None."""
    holder = getattr(gate, "moe_statics", gate)
    bias = getattr(holder, "e_score_correction_bias", None)
    return None if bias is None else bias.detach().float().reshape(-1)


def router_of(layer):
    """The module whose forward gives (logits, weights, experts); None in a dense layer."""
    block = layer.block_sparse_moe if hasattr(layer, "block_sparse_moe") else layer.mlp
    return getattr(block, "gate", None) or getattr(block, "router", None)


class Steering:
    """All routers of a model, under one plan at a time."""

    def __init__(self, model, config):
        self.model = model
        self.smallest_log_gap, self.smallest_gap = math.inf, math.inf
        self.routers = {}
        for index, layer in enumerate(model.model.layers):
            gate = router_of(layer)
            if gate is not None:
                self.routers[index] = SteeredRouter(gate, rule_of(config), index)
                gate.forward = self.routers[index]

    def logits(self, tokens, plan=None, embeddings=None, gaps_count=True):
        """[tokens, vocabulary] logits of one sequence; routings() then tells what was routed."""
        for router in self.routers.values():
            router.plan = plan
        given = {"input_ids": torch.tensor([tokens])} if embeddings is None else {"inputs_embeds": embeddings}
        logits = self.model(**given, use_cache=False).logits[0]
        for router in self.routers.values() if gaps_count else ():
            self.smallest_log_gap = min(self.smallest_log_gap, router.seen.log_gap)
            if plan is None:
                self.smallest_gap = min(self.smallest_gap, router.seen.gap)
        return logits

    def routings(self):
        return {index: router.seen for index, router in self.routers.items()}
