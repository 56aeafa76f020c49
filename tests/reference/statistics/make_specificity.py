#!/usr/bin/env python3
"""Reference figures for tests/statistics/specificity_test.cpp, from scipy and numpy.

pip install -r tests/reference/statistics/requirements.txt
python3 tests/reference/statistics/make_specificity.py    # writes tests/data/statistics/specificity.json

p: with one repeat the Poisson binomial tail, up to 9 questions by writing every relabelling out; with repeats numpy's
convolution of the questions' distributions; with one other plan scipy's binomial test. Interval: scipy's Student
interval of the differences. Labels: every permutation by itertools, sums by numpy.
"""

import itertools
import json
import math
import pathlib
import platform
from importlib.metadata import version

import numpy as np
from scipy import stats

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "data" / "statistics" / "specificity.json"


def enumerated_p(right):
    """Every choice of the plan that is called own, question by question."""
    k, n = right.shape
    sums = [sum(right[plan, q] for q, plan in enumerate(plans)) for plans in itertools.product(range(k), repeat=n)]
    return float(np.mean(np.array(sums) >= right[0].sum()))


def convolved_p(right):
    chances = np.ones(1)
    for counts in right.T:
        chances = np.convolve(chances, np.bincount(counts, minlength=counts.max() + 1) / len(counts))
    return float(chances[right[0].sum():].sum())


def case(right, repeats):
    k, n = right.shape
    p = convolved_p(right)
    if k**n <= 300_000:
        assert abs(p - enumerated_p(right)) < 1e-12
    if k == 2 and repeats == 1:
        ups, downs = int((right[0] > right[1]).sum()), int((right[0] < right[1]).sum())
        if ups + downs:
            assert abs(p - stats.binomtest(ups, ups + downs, alternative="greater").pvalue) < 1e-12
    differences = (right[0] - right[1:].mean(0)) / repeats
    row = {"right": right.tolist(), "repeats": repeats, "value": float(differences.mean()), "p": p}
    if np.any(differences):
        row["lo"], row["hi"] = map(float, stats.t.interval(0.95, n - 1, loc=differences.mean(),
                                                           scale=stats.sem(differences)))
    return row


def label_case(gains):
    k = len(gains)
    sums = [gains[np.arange(k), list(plans)].sum() for plans in itertools.permutations(range(k))]
    hits = int((np.array(sums) >= np.trace(gains) - 1e-12).sum())
    return {"gains": gains.tolist(), "p": hits / math.factorial(k), "permutations": math.factorial(k)}


def main():
    rng = np.random.default_rng(20261122)
    cases = []
    for k, n, repeats in [(2, 9, 1), (3, 8, 1), (4, 7, 2), (6, 6, 3), (2, 60, 1), (6, 300, 1), (13, 150, 1), (6, 90, 8)]:
        ability = rng.uniform(size=n)
        right = rng.binomial(repeats, ability, size=(k, n))
        right[0] = np.minimum(repeats, right[0] + rng.binomial(1, 0.15, size=n))
        cases.append(case(right, repeats))
    labels = []
    for k in (2, 3, 4, 5, 6, 7):
        gains = rng.normal(scale=0.02, size=(k, k)) + rng.normal(scale=0.05, size=k)
        labels.append(label_case(np.round(gains + 0.02 * np.eye(k), 4)))
    labels.append(label_case(np.eye(6)))
    versions = {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy")}}
    OUTPUT.write_text(json.dumps({"versions": versions, "cases": cases, "labels": labels}) + "\n")


if __name__ == "__main__":
    main()
