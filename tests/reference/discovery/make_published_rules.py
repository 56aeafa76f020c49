#!/usr/bin/env python3
"""Writes tests/data/discovery/published_rules_<checkpoint>.json: log-probabilities of tiny checkpoints steered by
RICE's and SteerMoE's rules as their papers state them, applied inside transformers' routers.

    python3 tests/reference/discovery/make_published_rules.py

The rules are written here from the papers and share no code with steered_router.py, which follows moelab's plans.
"""
import json
import pathlib
import random
import sys

import torch
import torch.nn.functional as F
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))

from checkpoints import data_folder  # noqa: E402
from expected import load  # noqa: E402
from measures import npmi  # noqa: E402
from make_fixtures import versions, write_fields  # noqa: E402
from steered_router import router_of  # noqa: E402

CHECKPOINTS = {"qwen3_moe_tiny": 2, "olmoe_tiny": 3}  # and the seed of prompts and rankings
VOCABULARY, PROMPTS, EPS, BETA = 120, 4, 0.01, 64.0


def steermoe_scores(logits, activated, deactivated):
    """Eq. 6 to 10: s = log softmax(z); max_j s_j + eps for activated experts, min_j s_j - eps for the others."""
    scores = F.log_softmax(logits.float(), dim=-1)
    changed = scores.clone()
    changed[:, activated] = scores.max(-1, keepdim=True).values + EPS
    changed[:, deactivated] = scores.min(-1, keepdim=True).values - EPS
    return changed


class PublishedRouter:
    """Stands in for one router's forward."""

    def __init__(self, gate, config):
        self.gate, self.k, self.renormalises = gate, config["num_experts_per_tok"], config["norm_topk_prob"]
        self.activated, self.deactivated, self.cognitive, self.keep_mass = [], [], [], False
        self.selected = None  # [tokens, k], of the last pass

    def __call__(self, hidden):
        logits = F.linear(hidden.reshape(-1, hidden.shape[-1]), self.gate.weight)
        changed = steermoe_scores(logits, self.activated, self.deactivated)
        weights, experts = changed.softmax(-1).topk(self.k, dim=-1)
        if self.renormalises:
            weights = weights / weights.sum(-1, keepdim=True)
        self.selected = experts
        return logits, self.rice(weights, experts), experts

    def rice(self, weights, experts):
        """The gate weights of cognitive experts that were selected are multiplied by beta."""
        total = weights.sum(-1, keepdim=True)
        for expert in self.cognitive:
            weights = torch.where(experts == expert, BETA * weights, weights)
        return weights / weights.sum(-1, keepdim=True) * total if self.keep_mass else weights


def draw_ranking(stream, routers, config):
    pairs = [[layer, expert] for layer in sorted(routers) for expert in range(config["num_experts"])]
    stream.shuffle(pairs)
    return pairs


def set_rule(routers, rule, ranking):
    for layer, router in routers.items():
        inside = lambda pairs: [expert for where, expert in pairs if where == layer]  # noqa: E731
        router.activated = inside(ranking[:rule.get("activate", 0)])
        router.deactivated = inside(ranking[len(ranking) - rule.get("deactivate", 0):])
        router.cognitive = inside(ranking[:rule.get("experts", 0)])
        router.keep_mass = rule.get("mode") == "weight_scale_renorm"
        assert len(router.activated) <= router.k, "no layer is forced more than top-k here"


def trace_ranking(routers, tokens, markers, config):
    """The ranking of one trace: the sum over markers of coefficient x nPMI, Eq. 6, from the unsteered pass over it."""
    scores, total = {}, len(tokens)
    for layer, router in routers.items():
        chosen = [set(row) for row in router.selected.tolist()]
        for expert in range(config["num_experts"]):
            used, score = sum(expert in row for row in chosen), 0.0
            for marker, coefficient in markers:
                at = [i for i, token in enumerate(tokens) if token == marker]
                hits = sum(expert in chosen[i] for i in at)
                score += coefficient * npmi(hits / total, len(at) / total, used / total)
            scores[layer, expert] = round(score, 9)  # equal counts are equal scores
    ranked = sorted(scores, key=lambda pair: (-scores[pair], pair))
    apart = [scores[a] - scores[b] for a, b in zip(ranked, ranked[1:])]
    assert all(gap == 0 or gap > 1e-6 for gap in apart), "scores too close to rank in doubles"
    return [list(pair) for pair in ranked]


RULES = (
    {"name": "original"},
    {"name": "rice", "experts": 2, "mode": "weight_scale"},
    {"name": "rice_renormalised", "experts": 2, "mode": "weight_scale_renorm"},
    {"name": "rice_five", "experts": 5, "mode": "weight_scale"},
    # Each prompt is its own trace: +1 for its second token, -1 for its fourth.
    {"name": "rice_by_prompt", "experts": 2, "mode": "weight_scale", "markers": [[1, 1], [3, -1]]},
    {"name": "steermoe_activate", "activate": 2},
    {"name": "steermoe_deactivate", "deactivate": 4},
    {"name": "steermoe_both", "activate": 3, "deactivate": 5},
)


@torch.no_grad()
def compute(name, seed):
    folder = data_folder() / "model" / name
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model, stream = load(folder), random.Random(seed)
    prompts = [[stream.randrange(3, VOCABULARY) for _ in range(stream.randint(5, 12))] for _ in range(PROMPTS)]
    plain = [model(torch.tensor([p]), use_cache=False).logits[0] for p in prompts]
    routers = {}
    for layer, block in enumerate(model.model.layers):
        if (gate := router_of(block)) is not None:
            gate.forward = routers[layer] = PublishedRouter(gate, config)
    ranking, rules = draw_ranking(stream, routers, config), []
    for rule in RULES:
        logits, rankings = [], []
        for p in prompts:
            rankings.append(ranking)
            if "markers" in rule:
                set_rule(routers, RULES[0], ranking)
                model(torch.tensor([p]), use_cache=False)
                rankings[-1] = trace_ranking(routers, p, [(p[at], c) for at, c in rule["markers"]], config)
            set_rule(routers, rule, rankings[-1])
            logits.append(model(torch.tensor([p]), use_cache=False).logits[0])
        if rule["name"] == "original":
            assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(logits, plain)), "the router differs"
        # The log-probability of each prompt's last token after the others.
        scores = [row.log_softmax(-1)[-2, p[-1]].item() for row, p in zip(logits, prompts)]
        own = {"rankings": [each[:rule["experts"]] for each in rankings]} if "markers" in rule else {}
        assert not own or own["rankings"][0] != own["rankings"][1], "the prompts have experts of their own"
        rules.append(rule | own | {"log_probabilities": scores})
        changed = sum(abs(a - b) > 1e-2 for a, b in zip(scores, rules[0]["log_probabilities"]))
        assert rule["name"] == "original" or changed >= 3, f"{rule['name']} changes {changed} prompts"
    return {"checkpoint": name, "seed": seed, "versions": versions(), "eps": EPS, "beta": BETA, "prompts": prompts,
            "ranking": ranking, "rules": rules}


def main():
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for name, seed in CHECKPOINTS.items():
        write_fields(data_folder() / "discovery" / f"published_rules_{name}.json", compute(name, seed))


if __name__ == "__main__":
    main()
