#!/usr/bin/env python3
"""Reference figures for tests/statistics/{repeats,null_grid}_test.cpp.

pip install -r tests/reference/statistics/requirements.txt
python3 tests/reference/statistics/make_metrics.py        # writes tests/data/statistics/metrics.json

pass@k, maj@k: all choices of k samples, one by one. clustered: statsmodels' least squares on a constant with
standard errors clustered by question, and scipy's Student interval. bootstrap: the distribution of the mean over all
n^n draws with replacement, of whose atoms the quantiles are taken. best of grid: numpy's
convolution of the questions' distributions, and a simulation beside it that the script holds against it.
"""

import fractions
import itertools
import json
import pathlib
import platform
from collections import Counter
from importlib.metadata import version

import numpy as np
import statsmodels.api
from scipy import stats

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "data" / "statistics" / "metrics.json"


def enumerated(samples, k, score):
    chosen = list(itertools.combinations(samples, k))
    return float(sum((score(each) for each in chosen), fractions.Fraction(0)) / len(chosen))


def any_right(chosen):
    return fractions.Fraction(int(any(right for _, right in chosen)))


def majority(chosen):
    """The share of the tied first places that is right; samples without an answer have no vote."""
    votes = Counter(answer for answer, _ in chosen if answer is not None)
    if not votes:
        return fractions.Fraction(0)
    first = [answer for answer, count in votes.items() if count == max(votes.values())]
    right = {answer for answer, is_right in chosen if is_right}
    return fractions.Fraction(sum(answer in right for answer in first), len(first))


def vote_case(rng, n):
    classes = sorted(rng.choice(["A", "B", "C", "D", None], size=n, p=rng.dirichlet(np.ones(5))), key=str)
    right = set(rng.choice(["A", "B", "C", "D"], size=rng.integers(1, 3), replace=False))
    samples = [(answer, answer in right and answer is not None) for answer in classes]
    counts = Counter(samples)
    return {"classes": [[count, is_right] for (answer, is_right), count in counts.items() if answer is not None],
            "unparsed": sum(answer is None for answer, _ in samples), "n": n,
            "right": sum(is_right for _, is_right in samples),
            "pass": [enumerated(samples, k, any_right) for k in range(1, n + 1)],
            "maj": [enumerated(samples, k, majority) for k in range(1, n + 1)]}


def cluster_case(rng, questions, repeats):
    right = rng.binomial(repeats, rng.uniform(size=questions))
    scores = np.concatenate([np.r_[np.ones(r), np.zeros(repeats - r)] for r in right])
    fit = statsmodels.api.OLS(scores, np.ones(len(scores))).fit(
        cov_type="cluster", cov_kwds={"groups": np.repeat(np.arange(questions), repeats)}, use_t=True)
    lo, hi = stats.t.interval(0.95, questions - 1, loc=fit.params[0], scale=fit.bse[0])
    return {"right": right.tolist(), "repeats": repeats, "mean": float(fit.params[0]), "se": float(fit.bse[0]),
            "lo": max(0.0, float(lo)), "hi": min(1.0, float(hi))}


def bootstrap_case(values):
    """The atoms in which the 2.5 % and 97.5 % quantiles lie, with the chance below and up to each."""
    n = len(values)
    sums = Counter({0: fractions.Fraction(1)})
    for _ in range(n):
        following = Counter()
        for total, chance in sums.items():
            for value in values:
                following[total + value] += chance / n
        sums = following
    case = {"values": values}
    for name, level in (("lo", 0.025), ("hi", 0.975)):
        below = fractions.Fraction(0)
        for total in sorted(sums):
            if float(below + sums[total]) >= level:
                case[name] = total / n
                # Far enough inside its atom for some thousand draws to find it.
                assert float(below) + 0.005 < level < float(below + sums[total]) - 0.005, (values, name)
                break
            below += sums[total]
    return case


def sum_distribution(questions, rate):
    chances, step = np.ones(1), np.array([rate / 2, 1 - rate, rate / 2])
    for _ in range(questions):
        chances = np.convolve(chances, step)
    return chances


def grid_case(rng, questions, cells, rate, claimed):
    chances = sum_distribution(questions, rate)
    gains = np.arange(-questions, questions + 1) / questions
    below = np.clip(np.cumsum(chances), 0, 1) ** cells
    atoms = np.diff(np.r_[0, below])
    mean = float((gains * atoms).sum())
    ups = rng.binomial(questions, rate, size=(20_000, cells))
    simulated = ((2 * rng.binomial(ups, 0.5) - ups).max(axis=1) / questions)
    error = simulated.std() / np.sqrt(len(simulated))
    assert abs(simulated.mean() - mean) < 5 * error + 1e-12, (mean, simulated.mean(), error)
    tail = chances[gains >= claimed - 1e-9].sum()
    return {"questions": questions, "cells": cells, "flip_rate": rate, "mean": mean,
            "median": float(gains[np.searchsorted(below, 0.5)]), "high": float(gains[np.searchsorted(below, 0.95)]),
            "claimed": claimed, "p": float(-np.expm1(cells * np.log1p(-tail)) if tail < 1 else 1),
            "simulated": [float(simulated.mean()), float(error)]}


def main():
    rng = np.random.default_rng(20261122)
    votes = [vote_case(rng, n) for n in (1, 2, 3, 4, 5, 8, 8, 8, 8, 10, 12) for _ in range(3)]
    clusters = [cluster_case(rng, *shape) for shape in ((5, 2), (30, 8), (30, 64), (198, 4), (717, 8))]
    boots = [bootstrap_case(values) for values in ([0, 0, 0, 1], [-1, 0, 0, 1, 1], [0, 0, 2, 2, 2], [-2, 0, 0, 1])]
    grids = [grid_case(rng, *each) for each in ((717, 40, 0.1, 0.03), (198, 40, 0.1, 0.05), (30, 100, 0.2, 0.1), (1, 3, 1.0, 1.0),
                                               (1351, 1, 0.05, 0.0), (100, 10, 0.0, 0.01))]
    versions = {"python": platform.python_version(), **{name: version(name) for name in ("numpy", "scipy", "statsmodels")}}
    OUTPUT.write_text(json.dumps({"versions": versions, "votes": votes, "clusters": clusters, "bootstraps": boots,
                                  "grids": grids}) + "\n")


if __name__ == "__main__":
    main()
