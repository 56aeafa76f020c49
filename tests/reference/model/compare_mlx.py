#!/usr/bin/env python3
"""Logits of deepseek_tiny by mlx-lm's own implementation of the family, on the CPU in float32.

    python3 tests/reference/model/compare_mlx.py      # with requirements_mlx.txt; after make_fixtures.py

Writes tests/data/model/expected/deepseek_tiny/mlx.safetensors and mlx.json, and ends with an error when they are
further from expected.safetensors than a runtime may be.
"""
import importlib.metadata
import json
import pathlib

import mlx.core as mx
import numpy
from mlx_lm.models import deepseek
from safetensors.numpy import save_file

MODEL = pathlib.Path(__file__).resolve().parents[2] / "data" / "model"


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    assert not config["norm_topk_prob"], "mlx-lm never renormalises"
    model = deepseek.Model(deepseek.ModelArgs.from_dict(config))
    weights = {}
    for shard in sorted(folder.glob("*.safetensors")):
        weights |= mx.load(str(shard))
    weights = model.sanitize({name: w.astype(mx.float32) for name, w in weights.items()})
    model.load_weights(list(weights.items()), strict=True)
    return model


def main():
    mx.set_default_device(mx.cpu)
    expected = MODEL / "expected" / "deepseek_tiny"
    fields, model = json.loads((expected / "expected.json").read_text()), load(MODEL / "deepseek_tiny")
    reference = mx.load(str(expected / "expected.safetensors"))
    logits = {f"prompt.{p}.logits": model(mx.array([tokens]))[0] for p, tokens in enumerate(fields["prompts"])}
    apart = max(mx.abs(reference[name] - ours).max().item() for name, ours in logits.items()) / fields["logits_sd"]
    assert apart < 0.1 * fields["tolerance"], apart
    # mlx's own writer does not align what it writes.
    save_file({name: numpy.array(ours) for name, ours in logits.items()}, expected / "mlx.safetensors")
    versions = {name: importlib.metadata.version(name) for name in ("mlx", "mlx-lm")}
    (expected / "mlx.json").write_text(
        json.dumps({"versions": versions, "distance_from_expected": apart}, indent=1) + "\n")
    print(versions, apart)


if __name__ == "__main__":
    main()
