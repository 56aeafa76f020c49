#!/usr/bin/env python3
"""Reference figures for tests/steering/effects_test.cpp: the mean KL divergence of steered from unsteered routing.

pip install numpy==2.4.6
python3 tests/reference/steering/make_dose.py        # writes tests/data/steering/dose.json

Computed by numpy in float64 from the router logits that transformers gave under each plan on the tiny checkpoints
(tests/data/model/expected), written from the definition: both distributions are over all experts of a layer and belong
to the same hidden state, D = sum_e p_e ln(p_e / q_e), meaned over tokens.
"""

import json
import pathlib
import platform
import struct
from importlib.metadata import version

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "tests" / "data"
# Which scores a router makes of its logits; "logits" keeps them, and their distribution is the softmax.
CHECKPOINTS = {"qwen3_moe_tiny": "softmax", "gpt_oss_tiny": "softmax", "phimoe_tiny": "logits",
               "deepseek_v3_tiny": "sigmoid", "glm4_moe_tiny": "sigmoid"}
MARGIN = 0.01


def read_tensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if entry.get("dtype") == "F32":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(raw[start:end], np.float32).reshape(entry["shape"]).astype(np.float64)
    return tensors


def distribution(logits, kind):
    if kind == "sigmoid":
        scores = 1 / (1 + np.exp(-logits))
    else:
        scores = np.exp(logits - logits.max(-1, keepdims=True))
    return scores / scores.sum(-1, keepdims=True)


def tilted(probabilities, alpha):
    scaled = probabilities * alpha
    return scaled / scaled.sum(-1, keepdims=True)


def divergence(steered, plain):
    return (steered * np.log(steered / plain)).sum(-1)


def dose(logits, mode, rules, kind):
    """By token: the larger of what the selection and what the weights are moved by."""
    alpha = np.ones(logits.shape[-1])
    pinned = {}
    for expert, (operation, value) in rules.items():
        if operation == "scale":
            alpha[expert] = value
        else:
            pinned[expert] = logits.max(-1) + MARGIN if operation == "force" else logits.min(-1) - MARGIN
    shifts = mode.startswith("logit_shift")

    def branch(shifted):
        moved = logits + np.log(alpha) if shifted else logits.copy()
        for expert, value in pinned.items():
            moved[:, expert] = value
        return distribution(moved, kind)

    plain = distribution(logits, kind)
    choice = branch(shifts)
    weights = branch(shifts and mode != "logit_shift_selection_only")
    if mode == "prob_scale_renorm":
        choice, weights = tilted(choice, alpha), tilted(weights, alpha)
    if mode.startswith("weight_scale"):
        weights = tilted(weights, alpha)
    return np.maximum(divergence(choice, plain), divergence(weights, plain))


def main():
    result = {}
    for checkpoint, kind in CHECKPOINTS.items():
        folder = DATA / "model" / "expected" / checkpoint
        fields = json.loads((folder / "expected.json").read_text())
        tensors = read_tensors(folder / "expected.safetensors")
        for plan in fields["plans"]:
            for layer in sorted({entry["layer"] for entry in plan["entries"]}):
                rules = {e["expert"]: (e["operation"], e["value"]) for e in plan["entries"] if e["layer"] == layer}
                logits = np.concatenate([tensors[f"plan.{plan['name']}.prompt.{p}.layer.{layer}.router_logits"]
                                         for p in range(len(fields["prompts"]))])
                mean = float(dose(logits, plan["mode"], rules, kind).mean())
                result.setdefault(checkpoint, {}).setdefault(plan["name"], {})[str(layer)] = mean
    versions = {"python": platform.python_version(), "numpy": version("numpy")}
    (DATA / "steering").mkdir(exist_ok=True)
    (DATA / "steering" / "dose.json").write_text(json.dumps({"versions": versions, "doses": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
