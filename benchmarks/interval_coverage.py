"""How often 95 % intervals cover the truth, by the number of cases, on simulated scores; writes coverage.json.

A simulated case has 5 to 17 neighbouring vertebrae, as a field of view shows them. Their DSC is skewed as real ones: a
case has a difficulty, most vertebrae lie above 0.9, one case in twelve is shifted by a level and loses most of its
score, and a twentieth of the vertebrae is missed. The truth is the score of 400,000 such cases.

    python benchmarks/interval_coverage.py
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ctspine_bench.bootstrap import case_weights

SIZES = (10, 20, 30, 41, 60, 80, 100, 150, 198, 400)
N_LABELS = 25
OUTPUT = Path(__file__).parents[1] / "ctspine_bench" / "rankings" / "coverage.json"


def simulate(n_cases: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """DSC `(n, 25)`, 0 where a case lacks the label, and where it has it."""
    length = rng.integers(5, 18, n_cases)
    first = rng.integers(0, N_LABELS - length + 1)
    label = np.arange(N_LABELS)
    present = (label >= first[:, None]) & (label < (first + length)[:, None])
    difficulty = rng.beta(1.2, 12, (n_cases, 1))
    dsc = 1 - np.clip(difficulty + rng.beta(1, 30, present.shape), 0, 1)
    shifted = rng.random((n_cases, 1)) < 1 / 12
    dsc = np.where(shifted, dsc * rng.beta(1, 4, present.shape), dsc)
    dsc[rng.random(present.shape) < 0.05] = 0.0
    return np.where(present, dsc, 0.0), present


def mean_of_vertebrae(dsc: np.ndarray, present: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over labels of weighted means over cases, of each row of weights."""
    in_all = weights @ present
    means = np.divide(weights @ dsc, in_all, out=np.zeros_like(in_all), where=in_all > 0)
    return means.sum(axis=1) / (in_all > 0).sum(axis=1)


def per_case(dsc: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The mean over the vertebrae of each case."""
    return dsc.sum(axis=1) / present.sum(axis=1)


def mean_over_vertebrae(dsc: np.ndarray, present: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over the vertebrae of all weighted cases, of each row of weights."""
    return (weights @ dsc.sum(axis=1)) / (weights @ present.sum(axis=1))


def measure(
    n_cases: int, repeats: int, draws: int, rng: np.random.Generator, truth: dict[str, float]
) -> dict[str, float]:
    """The shares of simulations whose intervals cover the truth, by what is averaged."""
    weights = case_weights(n_cases, draws)
    covered = dict.fromkeys(truth, 0)
    for _ in range(repeats):
        dsc, present = simulate(n_cases, rng)
        drawn = {
            "mean_of_vertebrae": mean_of_vertebrae(dsc, present.astype(float), weights),
            "mean_over_vertebrae": mean_over_vertebrae(dsc, present.astype(float), weights),
            "per_case": weights @ per_case(dsc, present),
        }
        for name, values in drawn.items():
            low, high = np.percentile(values, [2.5, 97.5])
            covered[name] += int(low <= truth[name] <= high)
    return {name: round(n / repeats, 4) for name, n in covered.items()}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20210705)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    dsc, present = simulate(400_000, rng)
    in_all = present.sum(axis=0)
    truth = {
        "mean_of_vertebrae": float((dsc.sum(axis=0) / in_all).mean()),
        "mean_over_vertebrae": float(dsc.sum() / present.sum()),
        "per_case": float(per_case(dsc, present).mean()),
    }
    found = {}
    for n_cases in SIZES:
        started = time.perf_counter()
        found[str(n_cases)] = measure(n_cases, arguments.repeats, arguments.draws, rng, truth)
        shares = ", ".join(f"{name} {share:.1%}" for name, share in found[str(n_cases)].items())
        print(f"n = {n_cases:3}: {shares}  ({time.perf_counter() - started:.0f} s)")
    document = {
        "what": "share of simulations in which the 95 % interval of the Bayesian bootstrap covers the true mean",
        "command": "python benchmarks/interval_coverage.py "
        f"--repeats {arguments.repeats} --draws {arguments.draws} --seed {arguments.seed}",
        "coverage": found,
    }
    arguments.output.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
