#!/usr/bin/env python3
"""Writes tests/data/discovery/similarity.json: linear CKA between transformers' own experts, each applied to the same
tokens. Run tests/reference/model/make_fixtures.py first.

    python3 tests/reference/discovery/make_similarity.py
"""
import json
import pathlib
import sys

import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))

from checkpoints import data_folder  # noqa: E402
from expected import load  # noqa: E402
from make_fixtures import versions, write_fields  # noqa: E402

CHECKPOINTS = ("qwen3_moe_tiny", "olmoe_tiny", "gpt_oss_tiny", "mixtral_tiny", "deepseek_v3_tiny", "qwen3_next_tiny")
UNPACKED = {"gpt_oss_tiny": "gpt_oss_bf16"}  # the same weights in a layout that transformers reads everywhere


def linear_cka(x, y):
    """In features: |Y^T X|^2 / (|X^T X| |Y^T Y|) of outputs [tokens, width] less their column means."""
    x, y = x - x.mean(0), y - y.mean(0)
    return ((y.T @ x).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())).item()


@torch.no_grad()
def inputs_of(model, prompts):
    """What the experts of each layer read over all prompts: [tokens, hidden] by layer."""
    seen, hooks = {}, []
    for number, layer in enumerate(model.model.layers):
        experts = getattr(layer.mlp, "experts", None)
        if experts is not None:
            keep = lambda module, args, number=number: seen.setdefault(number, []).append(args[0].flatten(0, -2))
            hooks.append(experts.register_forward_pre_hook(keep))
    for prompt in prompts:
        model(input_ids=torch.tensor([prompt]))
    for hook in hooks:
        hook.remove()
    return {number: torch.cat(parts) for number, parts in seen.items()}


@torch.no_grad()
def outputs_of(experts, rows):
    """Every expert on every row: the module itself, told that the rows chose this expert with weight one."""
    ones = torch.ones(len(rows), 1)
    return [experts(rows, torch.full((len(rows), 1), e), ones).double() for e in range(experts.num_experts)]


def describe(name):
    folder = data_folder() / "model"
    prompts = json.loads((folder / "expected" / name / "expected.json").read_text(encoding="utf-8"))["prompts"]
    model = load(folder / UNPACKED.get(name, name))
    layers = []
    for number, rows in inputs_of(model, prompts).items():
        outputs = outputs_of(model.model.layers[number].mlp.experts, rows)
        layers.append({"layer": number, "similarity": [[linear_cka(x, y) for y in outputs] for x in outputs]})
    return {"checkpoint": name, "tokens": sum(map(len, prompts)), "layers": layers}


def main():
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    write_fields(data_folder() / "discovery" / "similarity.json",
                 {"versions": versions(), "models": [describe(name) for name in CHECKPOINTS]})


if __name__ == "__main__":
    main()
