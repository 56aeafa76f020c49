#!/usr/bin/env python3
"""Reference figures for tests/statistics/paired_repeats_test.cpp, from scipy and numpy.

pip install -r tests/reference/statistics/requirements.txt
python3 tests/reference/statistics/make_repeats.py        # writes tests/data/statistics/repeats.json

p: scipy.stats.permutation_test over all sign choices of the questions' changes; for more than 20 questions the same
share from numpy's convolution of the questions' distributions. lo, hi: scipy.stats.t.interval of the mean change.
"""

import json
import pathlib
import platform
from importlib.metadata import version

import numpy as np
from scipy import stats

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "data" / "statistics" / "repeats.json"


def enumerated_p(changes):
    result = stats.permutation_test((changes, np.zeros(len(changes))), lambda a, b, axis=-1: np.sum(a - b, axis=axis),
                                    permutation_type="samples", vectorized=True, n_resamples=np.inf,
                                    alternative="two-sided")
    return float(result.pvalue)


def convolved_p(changes):
    chances = np.ones(1)
    for size in np.abs(changes):
        step = np.zeros(2 * size + 1)
        step[0] += 0.5
        step[-1] += 0.5
        chances = np.convolve(chances, step)
    total = int(np.abs(changes).sum())
    sums = np.arange(-total, total + 1)
    return float(chances[np.abs(sums) >= abs(int(changes.sum()))].sum())


def case(first, second, repeats):
    changes = np.array(second) - np.array(first)
    if len(changes) <= 16:
        # All signs are enumerated, zeros too: two-sided is twice the smaller side, the same by symmetry.
        p = enumerated_p(changes)
        assert abs(p - convolved_p(changes)) < 1e-12, (p, convolved_p(changes))
    else:
        p = convolved_p(changes)
    shares = changes / repeats
    row = {"first": list(map(int, first)), "second": list(map(int, second)), "repeats": repeats, "p": min(1.0, p),
           "gain": float(shares.mean()), "mean_square": float((shares**2).mean()),
           "flip_rate": float(np.abs(shares).mean())}
    if np.any(changes):
        lo, hi = stats.t.interval(0.95, len(shares) - 1, loc=shares.mean(), scale=stats.sem(shares))
        row["lo"], row["hi"] = max(-1.0, float(lo)), min(1.0, float(hi))
    return row


def main():
    rng = np.random.default_rng(20261122)
    cases = [case([0, 1, 2, 0], [2, 2, 2, 1], 2), case([1, 1, 1], [1, 1, 1], 2), case([2, 0], [0, 2], 2)]
    for n, repeats in [(5, 2), (8, 2), (10, 3), (14, 4), (16, 8), (40, 2), (100, 4), (198, 8), (717, 2)]:
        first = rng.binomial(repeats, rng.uniform(size=n))
        second = np.clip(first + rng.integers(-1, 3, size=n), 0, repeats)
        cases.append(case(first, second, repeats))
    versions = {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy")}}
    OUTPUT.write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
