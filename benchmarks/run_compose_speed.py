#!/usr/bin/env python3
"""Composing a study of 10,000 cells: moelab beside hydra-core, on the same tree and the same sweep.

    cmake --build build/release --target compose_speed
    python3 benchmarks/run_compose_speed.py --out benchmarks/results/compose_speed.json

The tree has moelab's own shape: a primary config with a study, and groups for model, benchmark and method. moelab composes the
study once with its axes, and then every cell as a job of its own, which is what Hydra does in a sweep; hydra-core composes
some of the same jobs, and the rest is its mean time them all. Needs hydra-core 1.3.2.
"""
import argparse
import itertools
import json
import pathlib
import platform
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {
    "config.yaml": "defaults:\n  - model: m0\n  - benchmark: b0\n  - method: s0\n  - study: big\n  - _self_\n"
                   "seed: {split: 1, discovery: 1, draw: 1}\nengine: {device: cpu, dtype: auto, batch_tokens: 8192, threads: 0}\n"
                   "split: {discovery: 200, tuning: 0, folds: 5, assignments: 20}\nlabel: ${model.name}-${method.name}-${axes.alpha}\n",
    "study/big.yaml": "# @package _global_\nname: big\naxes: {alpha: 1, n_steered: 1, domain: all}\n",
    **{f"model/m{i}.yaml": f"name: m{i}\npath: models/m{i}\nlayers: {i + 4}\n" for i in range(10)},
    **{f"benchmark/b{i}.yaml": f"name: b{i}\nquestions: data/b{i}\ndomains: [a, b, c]\n" for i in range(2)},
    **{f"method/s{i}.yaml": f"name: s{i}\nkind: score\nscore: paper\n" for i in range(5)},
}
SWEEP = {"model": [f"m{i}" for i in range(10)], "method": [f"s{i}" for i in range(5)], "axes.n_steered": [1, 2, 4, 8],
         "axes.alpha": [1.5, 3, 5, 10, 100], "axes.domain": list("abcdefghij")}


def hydra_seconds(folder, count):
    jobs = list(itertools.product(*SWEEP.values()))
    step = max(1, len(jobs) // count)
    times = []
    with initialize_config_dir(config_dir=str(folder), version_base="1.3"):
        for values in jobs[::step]:
            start = time.perf_counter()
            config = compose(config_name="config", overrides=[f"{key}={value}" for key, value in zip(SWEEP, values)])
            OmegaConf.to_container(config, resolve=True)
            times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build/release/benchmarks/compose_speed"))
    parser.add_argument("--hydra-jobs", type=int, default=100)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "benchmarks/results/compose_speed.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name, text in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        sweep = [f"{key}={','.join(map(str, values))}" for key, values in SWEEP.items()]
        ours = [json.loads(subprocess.run([options.program, str(folder), "config", *sweep], check=True,
                                          capture_output=True, text=True).stdout) for _ in range(3)]
        theirs = hydra_seconds(folder, options.hydra_jobs)
    result = {
        "command": "python3 benchmarks/run_compose_speed.py", "cells": ours[0]["jobs"],
        "moelab": {"study_seconds": min(run["study_seconds"] for run in ours),
                   "jobs_seconds": min(run["jobs_seconds"] for run in ours)},
        "hydra-core": {"version": version("hydra-core"), "composed": len(theirs),
                       "median_seconds_a_job": statistics.median(theirs),
                       "all_jobs_seconds_at_the_mean": statistics.mean(theirs) * ours[0]["jobs"]},
        "python": platform.python_version(), "processor": platform.machine(),
        "note": "moelab: the best of three runs; hydra-core: mean over jobs spread evenly over the sweep"}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
