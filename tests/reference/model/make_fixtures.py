#!/usr/bin/env python3
"""Writes tests/data/model: tiny checkpoints and the values that transformers computes for them.

    python3 tests/reference/model/make_fixtures.py            # the committed fixtures, from the seeds below
    python3 tests/reference/model/make_fixtures.py --search   # prints the first seed that passes for each
"""
import argparse
import itertools
import json
import pathlib
import platform
import tempfile

import numpy
import safetensors
import torch
import transformers
from safetensors.torch import save_file

import checkpoints
from expected import TOLERANCE, Expectation, load
from steered_router import rule_of

SEEDS = {"qwen3_moe_tiny": 30, "olmoe_tiny": 1, "granitemoe_tiny": 15, "phimoe_tiny": 1}
CONFIGS = {"qwen3_moe_tiny": checkpoints.QWEN3_MOE, "olmoe_tiny": checkpoints.OLMOE,
           "granitemoe_tiny": checkpoints.GRANITEMOE, "phimoe_tiny": checkpoints.PHIMOE}
for _name, (_config, _seed) in checkpoints.family_checkpoints().items():
    CONFIGS[_name], SEEDS[_name] = _config, _seed

# logit_shift and prob_scale_renorm are one formula for softmax routers, so those two must agree instead; not for
# the sparsemixer, which a constant on all logits changes, nor for sigmoid scores.
SAME = {"logit_shift", "prob_scale_renorm"}


def write_checkpoint(name, folder, seed):
    """Writes one checkpoint and returns its tensors, float32, by published name."""
    config, weights = CONFIGS[name], checkpoints.draw_weights(CONFIGS[name], seed)
    if name == "olmoe_tiny":
        checkpoints.write_single(folder, config, weights, torch.float32)
        return weights
    weights = checkpoints.to_half_widths(CONFIGS[name], weights)
    if name == "granitemoe_tiny":
        checkpoints.write_single(folder, config, weights, torch.bfloat16)
        return weights
    checkpoints.write_sharded(folder, config, weights, torch.bfloat16)
    return weights


def check_numbers(fields):
    assert fields["logits_sd"] >= 1, "logits too flat"
    assert min(fields["router_logits_sd"].values()) >= 1.5, "router logits too flat"
    assert fields["smallest_gap"] > 1e-4, "near-tie among experts"
    assert fields["smallest_log_gap"] > 1e-3, "near-tie among experts under a plan"
    assert fields["smallest_greedy_lead"] > 1e-3, "near-tie among greedy tokens"
    assert fields["agreement_with_plain_model"] < 0.1 * TOLERANCE, "the two references disagree"
    # The largest rounding error grows with the number of tokens.
    assert fields.get("long_prompt_agreement", 0) < 0.3 * TOLERANCE, "the two references disagree on the long prompt"
    assert fields.get("long_prompt_released_error", 1) > 150 * TOLERANCE, "the long factors hardly act"
    assert min(fields.get("clamped", {"none": 1}).values()) > 0.01, "clip_qkv hardly acts"


def check_variants(fields):
    for variant in fields["wrong_variants"]:
        assert variant["relative_error"] >= 150 * TOLERANCE, f"{variant['name']} is not visible"


def check_plans(expectation):
    """Every plan acts, and no two plans can be taken for each other."""
    sd = expectation.fields["logits_sd"]
    for plan in expectation.fields["plans"]:
        assert plan["logit_change"] > 0.1, f"{plan['name']} does not act"
        assert any(row["mean_abs_weight_change"] > 0 for row in plan["effects"])
    for a, b in itertools.combinations([plan["name"] for plan in expectation.plans], 2):
        apart = (expectation.all_logits(f"plan.{a}.") - expectation.all_logits(f"plan.{b}.")).abs().max() / sd
        rule = rule_of(expectation.config)
        one_formula = {a, b} == SAME and rule.kind != "sparsemixer" and rule.score == "softmax"
        assert apart < 0.1 * TOLERANCE if one_formula else apart > 100 * TOLERANCE, f"{a} against {b}"


def compute(name, folder, seed):
    weights = write_checkpoint(name, folder, seed)
    expectation = Expectation(folder, CONFIGS[name], seed).run(weights)
    check_numbers(expectation.fields)
    check_variants(expectation.fields)
    check_plans(expectation)
    return weights, expectation


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__, "safetensors": safetensors.__version__,
            "numpy": numpy.__version__}


def write_fields(path, fields):
    """JSON with one key a line, and one item a line for lists of objects."""
    lines = []
    for key, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            body = "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n ]"
        else:
            body = json.dumps(value, ensure_ascii=False)
        lines.append(f" {json.dumps(key)}: {body}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def write_expected(folder, name, seed, expectation):
    folder.mkdir(parents=True, exist_ok=True)
    head = {"checkpoint": name, "seed": seed, "versions": versions(), "compute_dtype": "float32",
            "device": "cpu", "attention": "eager", "experts": "eager", "tolerance": TOLERANCE}
    write_fields(folder / "expected.json", head | expectation.fields)
    save_file({n: t.contiguous() for n, t in expectation.tensors.items()}, folder / "expected.safetensors")


def write_fused(folder, weights, expectation):
    """qwen3_moe_tiny once more in the fused layout and float16; the logits must be the same bits."""
    config = checkpoints.v5_config(checkpoints.QWEN3_MOE)
    checkpoints.write_single(folder, config, checkpoints.fuse_experts(checkpoints.QWEN3_MOE, weights), torch.float16)
    model = load(folder)
    for p, prompt in enumerate(expectation.prompts):
        logits = model(torch.tensor([prompt]), use_cache=False).logits[0]
        assert torch.equal(logits, expectation.tensors[f"prompt.{p}.logits"]), "fused layout differs"


def search(name):
    with tempfile.TemporaryDirectory() as scratch:
        for seed in itertools.count(1):
            try:
                compute(name, pathlib.Path(scratch), seed)
                return seed
            except AssertionError as reason:
                print(f"{name} seed {seed}: {reason}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--search", action="store_true", help="look for seeds instead of writing fixtures")
    parser.add_argument("--only", choices=list(SEEDS), help="one checkpoint")
    parser.add_argument("--out", type=pathlib.Path, default=checkpoints.data_folder() / "model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    if arguments.search:
        print({name: search(name) for name in CONFIGS if arguments.only in (None, name)})
        return
    for name, seed in SEEDS.items():
        if arguments.only not in (None, name):
            continue
        weights, expectation = compute(name, arguments.out / name, seed)
        write_expected(arguments.out / "expected" / name, name, seed, expectation)
        if name == "qwen3_moe_tiny":
            write_fused(arguments.out / "qwen3_moe_fused", weights, expectation)
        module = checkpoints.family_module(CONFIGS[name])
        if hasattr(module, "write_others"):
            module.write_others(arguments.out, weights, expectation)


if __name__ == "__main__":
    main()
