"""The reference for steering: the router's forward itself is replaced, so a change reaches the experts.

A forward hook that edits the first element of the router's output tuple would not: the sparse block drops
that element and uses the weights and ids beside it.
"""
import collections
import math

import torch
import torch.nn.functional as F

Routing = collections.namedtuple("Routing", "logits experts weights gap log_gap")

# How a family routes: kind is "softmax" (weights are the scores), "renormalised" (divided by their sum) or
# "sparsemixer" (with its eps).
Rule = collections.namedtuple("Rule", "k kind eps")


def rule_of(config):
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


def gaps(choice, k):
    """Smallest distance between the last chosen and the first unchosen expert: of scores and of log scores."""
    ordered = choice.sort(-1, descending=True).values.double()
    last, first = ordered[:, k - 1], ordered[:, k]
    sure = torch.isinf(last) | torch.isinf(first)
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


def route(logits, rule, mode, rules):
    """One layer's routing, [tokens, experts] logits to k experts and weights a token."""
    if rule.kind == "sparsemixer":
        return route_sparsemixer(logits, rule, mode, rules)
    alpha = alpha_of(rules, logits.shape[-1])
    shifted = logits + alpha.log() if mode in SHIFTING else logits
    scores = F.softmax(pinned(shifted, logits, rules), dim=-1, dtype=torch.float)
    if mode == "prob_scale_renorm":
        scores = scores * alpha
        scores = scores / scores.sum(-1, keepdim=True)
    choice = choice_scores(scores, rules)
    experts = choice.topk(rule.k, dim=-1).indices
    if mode == "logit_shift_selection_only":
        scores = F.softmax(pinned(logits, logits, rules), dim=-1, dtype=torch.float)
    weights = scores.gather(-1, experts)
    if rule.kind == "renormalised":
        weights = weights / weights.sum(-1, keepdim=True)
    if mode in ("weight_scale", "weight_scale_renorm"):
        weights = scale_weights(weights, alpha[experts], mode == "weight_scale_renorm")
    return Routing(logits, experts, weights, *gaps(choice.detach(), rule.k))


class SteeredRouter:
    """Stands in for one router's forward and keeps what the experts were given."""

    def __init__(self, gate, rule, layer):
        self.gate, self.rule, self.layer, self.plan, self.seen = gate, rule, layer, None, None

    def __call__(self, hidden):
        logits = F.linear(hidden.reshape(-1, hidden.shape[-1]), self.gate.weight)
        mode = "none" if self.plan is None else self.plan["mode"]
        rules = layer_rules(self.plan, self.layer)
        self.seen = route(logits, self.rule, mode, rules)
        return logits, self.seen.weights, self.seen.experts


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

    def logits(self, tokens, plan=None, embeddings=None):
        """[tokens, vocabulary] logits of one sequence; routings() then tells what was routed."""
        for router in self.routers.values():
            router.plan = plan
        given = {"input_ids": torch.tensor([tokens])} if embeddings is None else {"inputs_embeds": embeddings}
        logits = self.model(**given, use_cache=False).logits[0]
        for router in self.routers.values():
            self.smallest_log_gap = min(self.smallest_log_gap, router.seen.log_gap)
            if plan is None:
                self.smallest_gap = min(self.smallest_gap, router.seen.gap)
        return logits

    def routings(self):
        return {index: router.seen for index, router in self.routers.items()}
