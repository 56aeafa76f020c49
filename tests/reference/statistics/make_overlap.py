#!/usr/bin/env python3
"""Reference figures for tests/statistics/overlap_test.cpp, from scipy and numpy.

pip install -r tests/reference/statistics/requirements.txt
python3 tests/reference/statistics/make_overlap.py        # writes tests/data/statistics/overlap.json

Two sets drawn layer by layer: scipy's hypergeometric distributions, convolved by numpy. Small cases are also written out:
every pair of sets, with Python's own set operations.
"""

import itertools
import json
import pathlib
import platform
from importlib.metadata import version

import numpy as np
from scipy import stats

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "data" / "statistics" / "overlap.json"


def convolved(layers):
    chance = np.ones(1)
    for size, first, second in layers:
        chance = np.convolve(chance, stats.hypergeom.pmf(np.arange(min(first, second) + 1), size, first, second))
    return chance


def enumerated_jaccard(layers):
    """The first set is fixed, which changes nothing; the second takes every place."""
    first = {(layer, e) for layer, (_, a, _) in enumerate(layers) for e in range(a)}
    choices = [itertools.combinations([(layer, e) for e in range(size)], b) for layer, (size, _, b) in enumerate(layers)]
    values = []
    for parts in itertools.product(*choices):
        second = set(itertools.chain(*parts))
        values.append(len(first & second) / len(first | second))
    return float(np.mean(values))


def case(layers):
    chance = convolved(layers)
    members = sum(first + second for _, first, second in layers)
    jaccard = float(sum(p * s / (members - s) for s, p in enumerate(chance)))
    if max(size for size, _, _ in layers) <= 8:
        assert abs(jaccard - enumerated_jaccard(layers)) < 1e-12
    return {"layers": layers, "chance": chance.tolist(), "jaccard": jaccard}


def main():
    cases = [case(layers) for layers in (
        [[4, 1, 1]], [[8, 2, 3], [8, 1, 2]], [[6, 5, 4]], [[8, 0, 3], [8, 2, 2]], [[16, 2, 2]] * 3, [[128, 3, 1]] * 24,
        [[64, 5, 9], [64, 0, 2], [64, 30, 40]])]
    versions = {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy")}}
    OUTPUT.write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
