#!/usr/bin/env python3
"""Exports every tiny checkpoint with moelab, loads both folders in transformers, and records what was equal.

    python3 tests/reference/model/check_export.py build/release/moelab

Writes tests/data/model/export.json: for each case the SHA-256 of the exported weights and whether transformers gave
the same logits, bit for bit, on the prompts of the reference. The C++ test exports again and compares the files, so
what it sees are the files that transformers has loaded. Run it again when a family or the export is changed.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import torch

from checkpoints import data_folder
from expected import load
from make_fixtures import versions

MODELS = data_folder() / "model"
PER_SHARD = 60_000  # bytes: several shards each


def stored_exactly(source):
    """Types that hold the checkpoint's values exactly: other exports differ by rounding, as they should. Tensors that
    transformers keeps in float32 in a model of any type do not count: an export must leave them as they are.
    """
    kept = load(source)._keep_in_fp32_modules_strict or ()
    types = {info["dtype"] for shard in source.glob("*.safetensors") for name, info in header(shard).items()
             if not any(part in name for part in kept)}
    return [None, "float32"] if "F32" in types else [None, "float32", "bfloat16", "float16"]


def header(shard):
    """The tensors of one file: name -> dtype, shape and place."""
    with open(shard, "rb") as file:
        fields = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {name: info for name, info in fields.items() if name != "__metadata__"}


def reference_of(name):
    """Where the prompts of a checkpoint stand; other layouts have those of the tiny one."""
    folder = MODELS / "expected" / name
    return folder if folder.is_dir() else folder.with_name(name.replace("_fused", "_tiny").replace("_bf16", "_tiny"))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@torch.no_grad()
def logits_of(model, prompts):
    return [model(torch.tensor([prompt]), use_cache=False).logits[0] for prompt in prompts]


def export(moelab, source, target, dtype):
    words = [moelab, "export", "--hf", str(source), str(target), "--max-shard-size", str(PER_SHARD)]
    subprocess.run(words + (["--dtype", dtype] if dtype else []), check=True, stdout=subprocess.DEVNULL)


def check(moelab, source, dtype, scratch):
    """One case: the exported folder's digests, and whether transformers sees the same model."""
    prompts = json.loads((reference_of(source.name) / "expected.json").read_text())["prompts"]
    target = pathlib.Path(scratch) / f"{source.name}-{dtype}"
    export(moelab, source, target, dtype)
    pairs = zip(logits_of(load(source), prompts), logits_of(load(target), prompts))
    equal = all(torch.equal(before, after) for before, after in pairs)
    assert equal, f"{source.name} as {dtype}: transformers gives other logits"
    files = {path.name: sha256(path) for path in sorted(target.glob("*.safetensors"))}
    return {"checkpoint": source.name, "dtype": dtype, "shard_bytes": PER_SHARD, "transformers_logits_equal": equal,
            "files": files}


def main():
    moelab = str(pathlib.Path(sys.argv[1]).resolve())
    sources = sorted(path.parent for path in MODELS.glob("*/config.json") if reference_of(path.parent.name).is_dir())
    with tempfile.TemporaryDirectory() as scratch:
        cases = [check(moelab, source, dtype, scratch) for source in sources for dtype in stored_exactly(source)]
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    head = json.dumps(versions())
    (MODELS / "export.json").write_text(f'{{\n "versions": {head},\n "cases": [\n  {lines}\n ]\n}}\n')
    print(f"{len(cases)} exports, transformers' logits equal in all")


if __name__ == "__main__":
    main()
