"""How often 95 % intervals cover the truth, and how often equals are told apart; writes coverage.json.

A simulated case has 5 to 17 neighbouring vertebrae, as a field of view shows them; of the spines that are seen to their
end, half have an L6. DSC is skewed as it really is: a case has a difficulty, the same for all submissions, and most
vertebrae lie above 0.9; a submission shifts one case in twelve by a level and loses most of its score, misses a
twentieth of the vertebrae, and gets one L6 in three right. The ten submissions of a board do so independently of each
other, and are equally good. The truth is the score on 400,000 such cases.

    python benchmarks/interval_coverage.py
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ctspine_bench.bootstrap import case_weights
from ctspine_bench.rankings import mean_then_rank, rank_then_mean
from ctspine_bench.rankings.intervals import score_intervals, surely_better
from ctspine_bench.rankings.paired import PairedScores, ReferenceVertebrae

SIZES = (10, 20, 30, 41, 60, 80, 100, 150, 198, 400)
N_LABELS = 25
N_SUBMISSIONS = 10
OUTPUT = Path(__file__).parents[1] / "ctspine_bench" / "rankings" / "coverage.json"


def simulate(n_cases: int, n_submissions: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """DSC `(n, 25, S)`, 0 where a case lacks the label, and where it has it `(n, 25)`."""
    length = rng.integers(5, 18, n_cases)
    first = rng.integers(0, N_LABELS - length + 1)
    label = np.arange(N_LABELS)
    present = (label >= first[:, None]) & (label < (first + length)[:, None])
    present[:, -1] &= rng.random(n_cases) < 0.5
    shape = (*present.shape, n_submissions)
    difficulty = rng.beta(1.2, 12, (n_cases, 1, 1))
    dsc = 1 - np.clip(difficulty + rng.beta(1, 30, shape), 0, 1)
    shifted = rng.random((n_cases, 1, n_submissions)) < 1 / 12
    dsc = np.where(shifted, dsc * rng.beta(1, 4, shape), dsc)
    dsc[rng.random(shape) < 0.05] = 0.0
    dsc[:, -1][rng.random((n_cases, n_submissions)) < 2 / 3] = 0.0
    return np.where(present[:, :, None], dsc, 0.0), present


def board(dsc: np.ndarray, present: np.ndarray) -> PairedScores:
    """The simulated scores as the package has them."""
    n_cases, _, n_submissions = dsc.shape
    case, place = np.nonzero(present)
    nothing = np.zeros(n_cases)
    reference = ReferenceVertebrae(
        case_ids=tuple(f"case{number:06}" for number in range(n_cases)),
        sources=("",) * n_cases,
        slice_spacing_mm=nothing,
        transitional=nothing.astype(bool),
        case=case,
        label=place + 1,
        cut=np.zeros(len(case), bool),
    )
    return PairedScores(tuple(f"s{i}" for i in range(n_submissions)), reference, {"dsc": dsc[case, place]})


def per_case(dsc: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The mean over the vertebrae of each case, `(n, S)`; 0 for a case with none."""
    return dsc.sum(axis=1) / np.maximum(present.sum(axis=1), 1)[:, None]


def truths(rng: np.random.Generator, n_cases: int = 400_000) -> dict[str, float]:
    """The scores of a submission on very many cases; among equals, the mean rank is the middle one."""
    dsc, present = simulate(n_cases, 1, rng)
    of_labels = dsc.sum(axis=(0, 2)) / present.sum(axis=0)
    return {
        "mean_of_vertebrae": float(of_labels.mean()),
        "mean_rank": (N_SUBMISSIONS + 1) / 2,
        "mean_over_vertebrae": float(dsc.sum() / present.sum()),
        "per_case": float(per_case(dsc, present).mean()),
    }


def measure(
    n_cases: int, repeats: int, draws: int, rng: np.random.Generator, truth: dict[str, float]
) -> dict[str, float]:
    """The shares of intervals that cover each score's truth, and of boards on which anybody is surely better.

    The intervals of Mean of Vertebrae and of the mean rank are those of standings; the others are plain percentiles.
    """
    weights, without_one = case_weights(n_cases, draws), 1 - np.eye(n_cases)
    found = dict.fromkeys((*truth, "told_apart"), 0.0)
    for _ in range(repeats):
        dsc, present = simulate(n_cases, N_SUBMISSIONS, rng)
        paired = board(dsc, present)
        means, ranks = (
            (
                module.scores(paired, "dsc", "all"),
                *(module.resampled(paired, "dsc", "all", w) for w in (weights, without_one)),
            )
            for module in (mean_then_rank, rank_then_mean)
        )
        ends = {
            "mean_of_vertebrae": score_intervals(*means, (0.0, 1.0)),
            "mean_rank": score_intervals(*ranks, (1.0, N_SUBMISSIONS)),
            "mean_over_vertebrae": percentiles((weights @ dsc.sum(axis=1)) / (weights @ present.sum(axis=1))[:, None]),
            "per_case": percentiles(weights @ per_case(dsc, present)),
        }
        for name, (low, high) in ends.items():
            found[name] += float(((low <= truth[name]) & (truth[name] <= high)).mean())
        found["told_apart"] += float(surely_better(*means).any())
    return {name: total / repeats for name, total in found.items()}


def sure_pairs(paired: PairedScores, draws: int) -> np.ndarray:
    """Who is surely better than whom by Mean of Vertebrae, `(S, S)`."""
    weights, without_one = case_weights(paired.n_cases, draws), 1 - np.eye(paired.n_cases)
    drawn, left_out = (mean_then_rank.resampled(paired, "dsc", "all", rows) for rows in (weights, without_one))
    return surely_better(mean_then_rank.scores(paired, "dsc", "all"), drawn, left_out)


def percentiles(drawn: np.ndarray) -> np.ndarray:
    """The plain percentile interval of each column."""
    return np.percentile(drawn, [2.5, 97.5], axis=0)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20210705)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    truth = truths(rng)
    found = {}
    for n_cases in arguments.sizes:
        started = time.perf_counter()
        shares = measure(n_cases, arguments.repeats, arguments.draws, rng, truth)
        found[str(n_cases)] = {name: round(share, 4) for name, share in shares.items()}
        told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
        print(f"n = {n_cases:3}: {told}  ({time.perf_counter() - started:.0f} s)", flush=True)
    document = {
        "what": "by the number of cases: the share of 95 % intervals that cover the true score, and the share of "
        "boards of ten equal submissions on which anybody is told apart from anybody",
        "command": "python benchmarks/interval_coverage.py "
        f"--repeats {arguments.repeats} --draws {arguments.draws} --seed {arguments.seed}",
        "coverage": found,
    }
    arguments.output.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
