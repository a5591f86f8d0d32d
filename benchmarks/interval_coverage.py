"""How often 95 % intervals cover the truth, and how often equals are told apart; writes coverage.json.

Simulated cases have the fields of view of CTSpine1K: sources as often as in the official private test set, and of each
source as many cervical, thoracic and lumbar vertebrae, spines without an L5 and with an L6, as Table 1 of Deng et al.,
2024, counts. So one case in sixteen carries most of what is above T5. DSC is skewed as it really is: a case has a
difficulty, the same for all submissions, and most vertebrae lie above 0.9. By itself each submission names one case in
twelve a level off, and so misses a vertebra at one end and has a spurious one at the other; misses a twentieth of the
vertebrae; gets one L6 in three; and goes on beyond either end of the field of view in 3 % of the cases. The ten
submissions of a board do so independently of each other, and are equally good. The truth is the score on 400,000 such
cases, with all 25 labels.

    python benchmarks/interval_coverage.py
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ctspine_bench import jackknife
from ctspine_bench.domain_gap import estimate
from ctspine_bench.jackknife import ratio_left_out, uncertainty
from ctspine_bench.rankings import mean_then_rank, rank_then_mean
from ctspine_bench.rankings.intervals import surely_better
from ctspine_bench.rankings.paired import PairedScores, Vertebrae
from ctspine_bench.rankings.stability import rank_frequencies, rank_ranges
from ctspine_bench.testsets import SOURCES, official, source_of

SIZES = (10, 20, 30, 41, 60, 99, 150, 198, 400)
N_LABELS, N_SUBMISSIONS = 25, 10
L6 = 24
OUTPUT = Path(__file__).parents[1] / "ctspine_bench" / "rankings" / "coverage.json"
COLUMNS = {
    "mean_of_vertebrae": "Mean of Vertebrae",
    "mean_rank": "mean rank",
    "mean_over_vertebrae": "mean over all vertebrae",
    "per_case": "per-case mean",
    "gap_score": "score of the gap",
    "difference": "difference of two",
    "told_apart": "told apart",
    "ranks_told_apart": "by mean rank",
    "first": "P(1) ≥ 95 %",
}


def composition(n_cases: int, rng: np.random.Generator) -> np.ndarray:
    """How many cases of each source: as in the private test set, rounded at random where it does not divide."""
    of_source = [source_of(case_id) for case_id in official("private").cases or ()]
    counts = np.array([of_source.count(source) for source in SOURCES])
    ends = np.concatenate([[0], np.cumsum(n_cases * counts / counts.sum())])
    return np.diff(np.floor(ends + rng.random() + 1e-9)).astype(int)


def fields_of_view(source: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """First and last label of each case, 0–24, by its source: an index into SOURCES."""
    n = len(source)
    cervical, thoracic, lumbar, has_l6 = (np.zeros(n, int) for _ in range(4))
    upper, lower = rng.random(n), rng.random(n)
    name = np.array(SOURCES)[source]
    of = name == "COLONOG"  # .005 / 5.15 / 4.99 vertebrae a case; 9 of 784 without L5, 16 with L6
    cervical[of] = np.where(upper[of] < 1 / 784, 4, 0)
    thoracic[of] = np.where(cervical[of] > 0, 12, 3 + rng.binomial(8, 0.268, of.sum()))
    lumbar[of], has_l6[of] = np.where(lower[of] < 9 / 784, 4, 5), lower[of] > 1 - 16 / 784
    of = name == "HNSCC-3DCT-RT"  # 7 / 7.29 / 0
    cervical[of], thoracic[of] = 7, 5 + rng.binomial(5, 0.458, of.sum())
    of = name == "MSD-T10"  # .88 / 7.99 / 4.96; two of 150 without L5 and a few that end higher, one with L6
    cervical[of] = np.where(upper[of] < 0.126, 7, 0)
    thoracic[of] = np.where(cervical[of] > 0, 12, 4 + rng.binomial(8, 0.427, of.sum()))
    lumbar[of], has_l6[of] = np.where(lower[of] < 0.04, 4, 5), lower[of] > 1 - 1 / 150
    of = name == "COVID-19"  # 1.65 / 11.98 / 1.43
    cervical[of] = rng.binomial(3, 0.56, of.sum())
    thoracic[of] = np.where((upper[of] < 0.25) & (cervical[of] == 0), 11, 12)
    lumbar[of] = rng.binomial(4, 0.356, of.sum())
    first = np.where(cervical > 0, 7 - cervical, 19 - thoracic)
    last = np.where(cervical > 0, 6 + thoracic + lumbar, 18 + lumbar)
    return first, np.where(has_l6 > 0, L6, last)


def simulate(
    n_cases: int, n_submissions: int, rng: np.random.Generator, off_in_necks: float = 1 / 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """DSC `(n, 25, S)`, where it counts, likewise, and where the reference has the label, `(n, 25)`.

    `off_in_necks` is how often names are a level off in HNSCC-3DCT-RT; elsewhere it is one case in twelve.
    """
    source = np.repeat(np.arange(len(SOURCES)), composition(n_cases, rng))
    first, last = fields_of_view(source, rng)
    label = np.arange(N_LABELS)
    in_reference = (label >= first[:, None]) & (label <= last[:, None])
    case, place = np.nonzero(in_reference)
    shape = (len(case), n_submissions)
    found = 1 - np.clip(rng.beta(1.2, 12, n_cases)[case, None] + rng.beta(1, 30, shape), 0, 1)
    how_often = np.where(np.array(SOURCES)[source] == "HNSCC-3DCT-RT", off_in_necks, 1 / 12)
    off = rng.random((n_cases, n_submissions)) < how_often[:, None]
    upwards = rng.random((n_cases, n_submissions)) < 0.5
    found[off[case]] *= rng.beta(1, 4, off[case].sum())
    emptied = np.where(upwards[case], (place == last[case])[:, None], (place == first[case])[:, None])
    found[off[case] & emptied] = 0
    found[rng.random(shape) < 0.05] = 0
    found[(place == L6)[:, None] & (rng.random(shape) < 2 / 3)] = 0
    dsc = np.zeros((n_cases, N_LABELS, n_submissions))
    dsc[case, place] = found
    present = np.repeat(in_reference[:, :, None], n_submissions, axis=2)
    for ends, towards, step, limit in ((first, upwards, -1, first > 0), (last, ~upwards, 1, last < L6)):
        beyond = (off & towards) | (rng.random((n_cases, n_submissions)) < 0.03)
        where, who = np.nonzero(beyond & limit[:, None])
        present[where, ends[where] + step, who] = True
    return dsc, present, in_reference


def board(dsc: np.ndarray, present: np.ndarray, in_reference: np.ndarray) -> PairedScores:
    """The simulated scores as the package has them."""
    n_cases, _, n_submissions = dsc.shape
    case, place = np.nonzero(present.any(axis=2))
    vertebrae = Vertebrae(
        case_ids=tuple(f"case{number:06}" for number in range(n_cases)),
        sources=("",) * n_cases,
        slice_spacing_mm=np.zeros(n_cases),
        transitional=np.zeros(n_cases, bool),
        case=case,
        label=place + 1,
        in_reference=in_reference[case, place],
        cut=np.zeros(len(case), bool),
    )
    slugs = tuple(f"s{i}" for i in range(n_submissions))
    there = present[case, place]
    measures = {"dsc": dsc[case, place], "hd95_mm": 100 * (1 - dsc[case, place]) * there}
    return PairedScores(slugs, vertebrae, there, measures)


def truths(rng: np.random.Generator, n_cases: int = 400_000, off_in_necks: float = 1 / 12) -> dict[str, float]:
    """The scores of a submission on very many cases; among equals, the mean rank is the middle one."""
    sums, counts, references, per_case = (*np.zeros((3, N_LABELS)), [])
    for _ in range(n_cases // 20_000):
        dsc, present, in_reference = simulate(20_000, 1, rng, off_in_necks)
        sums, counts = sums + dsc.sum(axis=(0, 2)), counts + present.sum(axis=(0, 2))
        references = references + in_reference.sum(axis=0)
        per_case.append((dsc.sum(axis=1) / present.sum(axis=1)).mean())
    return {
        "mean_of_vertebrae": float((sums / counts).mean()),
        "mean_rank": (N_SUBMISSIONS + 1) / 2,
        "mean_over_vertebrae": float(sums.sum() / counts.sum()),
        "per_case": float(np.mean(per_case)),
        "gap_score": float((references * sums / counts).sum() / references.sum()),
    }


def measure(
    n_cases: int,
    repeats: int,
    draws: int,
    rng: np.random.Generator,
    truth: dict[str, float],
    off_in_necks: float = 1 / 12,
) -> dict[str, float]:
    """The shares of intervals that cover each score's truth, and of boards that claim what is not so.

    `told_apart`: somebody is surely better than somebody by Mean of Vertebrae; `first`: somebody has P(rank 1) ≥ 95 %;
    `ranks_told_apart`: somebody is surely better by mean rank.
    """
    found = dict.fromkeys((*truth, "difference", "told_apart", "first", "ranks_told_apart"), 0.0)
    for _ in range(repeats):
        dsc, present, in_reference = simulate(n_cases, N_SUBMISSIONS, rng, off_in_necks)
        paired = board(dsc, present, in_reference)
        for name, rule, bounds in (
            ("mean_of_vertebrae", mean_then_rank, (0.0, 1.0)),
            ("mean_rank", rank_then_mean, (1.0, N_SUBMISSIONS)),
        ):
            scores = rule.scores(paired, "dsc", "all")
            uncertain = uncertainty(scores, rule.left_out(paired, "dsc", "all"), rule.weights(paired, "all"))
            found[name] += covered(uncertain.intervals(scores, bounds), truth[name])
            if name == "mean_of_vertebrae":
                found["difference"] += of_equals(scores, uncertain)
            noise = uncertain.noise(draws)
            oriented = scores if name == "mean_of_vertebrae" else -scores
            sure = bool(surely_better(oriented, uncertain, noise).any())
            found["told_apart" if name == "mean_of_vertebrae" else "ranks_told_apart"] += sure
            if name == "mean_of_vertebrae":
                found["first"] += bool(
                    rank_frequencies(*rank_ranges(uncertain.drawn(scores, noise)))[:, 0].max() >= 0.95
                )
        gap_scores = [estimate(paired, slug) for slug in paired.slugs]
        ends = np.array([[each.low, each.high] for each in gap_scores]).T
        found["gap_score"] += covered(ends, truth["gap_score"])
        sums, n = dsc.sum(axis=1), present.sum(axis=1).astype(float)
        found["mean_over_vertebrae"] += covered(of_ratio(sums, n, n / n.sum(axis=0)), truth["mean_over_vertebrae"])
        alike = np.full(n_cases, 1 / n_cases)
        found["per_case"] += covered(of_ratio(sums / n, np.ones_like(n), alike), truth["per_case"])
    return {name: total / repeats for name, total in found.items()}


def sure_pairs(paired: PairedScores, draws: int) -> np.ndarray:
    """Who is surely better than whom by Mean of Vertebrae, `(S, S)`."""
    scores, left_out = (rule(paired, "dsc", "all") for rule in (mean_then_rank.scores, mean_then_rank.left_out))
    uncertain = uncertainty(scores, left_out, mean_then_rank.weights(paired, "all"))
    return surely_better(scores, uncertain, uncertain.noise(draws))


def of_ratio(sums: np.ndarray, n: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The intervals of Σ sums / Σ n over cases, `(2, S)`."""
    scores = sums.sum(axis=0) / n.sum(axis=0)
    return uncertainty(scores, ratio_left_out(sums, n), weights).intervals(scores, (0.0, 1.0))


def of_equals(scores: np.ndarray, uncertain: jackknife.Uncertainty) -> float:
    """The share of intervals of the difference between the first and each other one that cover 0."""
    differences = jackknife.Uncertainty(
        uncertain.deviations[:, :1] - uncertain.deviations[:, 1:], uncertain.moderation[:, 1:], uncertain.df[1:]
    )
    return covered(differences.of_differences().intervals(scores[:1] - scores[1:], (-1.0, 1.0)), 0.0)


def covered(ends: np.ndarray, truth: float) -> float:
    """The share of intervals that cover the truth."""
    return float(((ends[0] <= truth) & (truth <= ends[1])).mean())


def table(found: dict[int, dict[str, float]]) -> str:
    """What was measured, as Markdown."""
    head = [f"| cases | {' | '.join(COLUMNS.values())} |", f"| ---: |{' ---: |' * len(COLUMNS)}"]
    rows = [f"| {n} | {' | '.join(f'{100 * shares[name]:.1f} %' for name in COLUMNS)} |" for n, shares in found.items()]
    return "\n".join([*head, *rows])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20210705)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--prior-df", type=float, default=jackknife.PRIOR_DF, help="another moderation, to compare")
    parser.add_argument("--off-in-necks", type=float, default=1 / 12, help="how often names are off in HNSCC-3DCT-RT")
    arguments = parser.parse_args()
    jackknife.PRIOR_DF = arguments.prior_df
    rng = np.random.default_rng(arguments.seed)
    truth = truths(rng, off_in_necks=arguments.off_in_necks)
    found: dict[int, dict[str, float]] = {}
    for n_cases in arguments.sizes:
        started = time.perf_counter()
        shares = measure(n_cases, arguments.repeats, arguments.draws, rng, truth, arguments.off_in_necks)
        found[n_cases] = {name: round(share, 4) for name, share in shares.items()}
        told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
        print(f"n = {n_cases:3}: {told}  ({time.perf_counter() - started:.0f} s)", flush=True)
    document = {
        "what": "by the number of cases: the share of 95 % intervals that cover the true score; the shares of boards "
        "of ten equal submissions on which anybody is told apart from anybody (by Mean of Vertebrae, by mean rank), "
        "and on which anybody has P(rank 1) of 95 % or more",
        "command": "python benchmarks/interval_coverage.py "
        f"--repeats {arguments.repeats} --draws {arguments.draws} --seed {arguments.seed}",
        "prior_df": jackknife.PRIOR_DF,
        "coverage": {str(n): shares for n, shares in found.items()},
    }
    arguments.output.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
