"""Methods compared: their means, their ranks, and by how much each pair differs. Statistics are those of the board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import LABELS, vertebra_name
from ctspine_bench.errors import UsageError
from ctspine_bench.jackknife import DRAWS, SMALLEST_N, uncertainty
from ctspine_bench.own_runs import averages
from ctspine_bench.own_runs.averages import MEAN_OF_VERTEBRAE, OVER_VERTEBRAE, PER_CASE, SPINE, Average
from ctspine_bench.own_runs.outcome import DIFFERENCE, MEANS, MethodResult, OwnComparison, Score, Spread
from ctspine_bench.own_runs.pairs import ALL_PAIRS_UP_TO, chosen_pairs, corrected_tests, pair_results
from ctspine_bench.provenance import ENGINE_VERSION
from ctspine_bench.rankings import mean_then_rank, stability
from ctspine_bench.rankings.coverage import measured_coverage
from ctspine_bench.rankings.intervals import rank_limits, ranks_of, surely_better
from ctspine_bench.rankings.paired import METRICS, REGIONS, counted, n_reference_cases, pair
from ctspine_bench.rankings.schemes import OFFICIAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ctspine_bench.own_runs.methods import Method, Methods
    from ctspine_bench.rankings.coverage import Averaged
    from ctspine_bench.rankings.paired import PairedScores

_AS_SIMULATED: Final[Mapping[str, Averaged]] = {
    MEAN_OF_VERTEBRAE: MEAN_OF_VERTEBRAE,
    PER_CASE: PER_CASE,
    OVER_VERTEBRAE: "mean_over_vertebrae",
    DIFFERENCE: "difference",
}


def compare_methods(
    methods: Methods, metric: str, region: str, *, baseline: bool = False, draws: int = DRAWS
) -> OwnComparison:
    """Compare methods on the same cases.

    Args:
        methods: One at least.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        baseline: Compare each with the first alone, not in all pairs.
        draws: For ranks.

    Raises:
        UsageError: No reference has a vertebra of the region.
    """
    paired, n_cases = counted(methods.paired, region)
    if not n_cases:
        raise UsageError(f"expected a reference with a vertebra of the {region} spine, found none")
    results = _with_places(_method_results(methods, paired, region), methods, paired, metric, region, draws)
    tested, pairs = chosen_pairs(results, baseline=baseline)
    tests = corrected_tests(methods, paired, metric, region, tested)
    # DSC of the whole spine is what was simulated.
    simulated = _AS_SIMULATED if (metric, region) == OFFICIAL[1:] else {}
    covered = {name: measured_coverage(n_cases, of) for name, of in simulated.items()}
    return OwnComparison(
        title=methods.methods[0].runs[0].title,
        n_cases=n_cases,
        n_labels=_n_labels(paired, region),
        metric=metric,
        region=region,
        engine_version=ENGINE_VERSION,
        draws=draws,
        methods=results,
        pairs=pair_results(methods, paired, metric, region, [(one, other, tests[one, other]) for one, other in pairs]),
        corrected_for=sum(test.p is not None for test in tests.values()),
        against_best=not baseline and len(results) > ALL_PAIRS_UP_TO,
        coverage={name: share for name, share in covered.items() if share is not None},
        notes=methods.notes,
    )


def _averages(paired: PairedScores, tables: Sequence[pd.DataFrame], metric: str, region: str) -> dict[str, Average]:
    """Return the means and the labels of each run."""
    found = {
        MEAN_OF_VERTEBRAE: averages.mean_of_vertebrae(paired, metric, region),
        PER_CASE: averages.per_case(paired, metric, region),
        OVER_VERTEBRAE: averages.over_vertebrae(paired, metric, region),
    }
    if region == "all":
        found[SPINE] = averages.of_spine(tables, paired.vertebrae.case_ids, metric)
    return {**found, **averages.of_labels(paired, metric, region)}


def _n_labels(paired: PairedScores, region: str) -> dict[str, int]:
    labels = paired.vertebrae.label[paired.vertebrae.in_reference]
    n = np.bincount(labels, minlength=len(LABELS) + 1)
    return {vertebra_name(label): int(n[label]) for label in REGIONS[region] if n[label]}


def _method_results(methods: Methods, paired: PairedScores, region: str) -> list[MethodResult]:
    """Return everything about each method but its place."""
    tables = [table for method in methods.methods for table in method.tables]
    found: list[dict[str, dict[str, Score]]] = [{} for _ in methods.methods]
    enough = n_reference_cases(paired, region) >= SMALLEST_N
    folds = [_of_folds(method, region) if method.kind == "folds" else {} for method in methods.methods]
    for metric in METRICS:
        for name, average in _averages(paired, tables, metric, region).items():
            of_methods = _scores(average.over_runs(methods.of_method), metric, with_intervals=enough and name in MEANS)
            for place, score in enumerate(of_methods):
                own = average.means[methods.of_method == place]
                values = folds[place].get((name, metric), own)
                found[place].setdefault(name, {})[metric] = replace(score, spread=_spread(values))
    return [
        MethodResult(
            name=method.name,
            kind=method.kind,
            n_runs=len(method.runs),
            rank=1,
            rank_low=1,
            rank_high=len(found),
            p_first=None,
            per_case_rank=1,
            means={name: scores for name, scores in of_method.items() if name in MEANS},
            labels={name: scores for name, scores in of_method.items() if name not in MEANS},
        )
        for method, of_method in zip(methods.methods, found, strict=True)
    ]


def _of_folds(method: Method, region: str) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return (mean or label, metric) → its value in each fold that has one."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in method.runs:
        paired = pair({method.name: run.table})
        for metric in METRICS:
            for name, average in _averages(paired, [run.table], metric, region).items():
                found.setdefault((name, metric), []).append(float(average.means[0]))
    return {key: np.array(values) for key, values in found.items()}


def _scores(average: Average, metric: str, *, with_intervals: bool) -> list[Score]:
    """Return the scores of methods, with intervals where ten cases count, if any."""
    sure = (average.counts >= SMALLEST_N) & with_intervals
    ends = np.full((2, sure.size), np.nan)
    if sure.any():
        uncertain = uncertainty(average.means[sure], average.left_out[:, sure], average.weights[:, sure])
        ends[:, sure] = uncertain.intervals(average.means[sure], METRICS[metric].bounds)
    columns = (average.counts.tolist(), average.means.tolist(), ends[0].tolist(), ends[1].tolist())
    return [
        Score(n, None if np.isnan(value) else value, *(None if np.isnan(end) else end for end in (low, high)))
        for n, value, low, high in zip(*columns, strict=True)
    ]


def _spread(values: NDArray[np.float64]) -> Spread | None:
    there = values[~np.isnan(values)]
    return Spread(there.size, float(there.mean()), float(there.std(ddof=1))) if there.size > 1 else None


def _with_places(
    results: list[MethodResult], methods: Methods, paired: PairedScores, metric: str, region: str, draws: int
) -> tuple[MethodResult, ...]:
    """Return methods with their ranks: as `rankings.standings` ranks submissions, by averages over runs."""
    sign = 1.0 if METRICS[metric].larger_is_better else -1.0
    official = averages.mean_of_vertebrae(paired, metric, region).over_runs(methods.of_method)
    breaks_of_runs = mean_then_rank.tie_breaks(paired, metric, region)
    breaks = np.array([breaks_of_runs[methods.of_method == place].mean() for place in range(len(results))])
    ranks = ranks_of(sign * official.means, breaks)
    of_cases = ranks_of(sign * np.array([result.means[PER_CASE][metric].value for result in results], np.float64))
    placed = [
        replace(result, rank=int(rank), per_case_rank=int(of_case))
        for result, rank, of_case in zip(results, ranks, of_cases, strict=True)
    ]
    if official.counts[0] < SMALLEST_N:
        return tuple(placed)
    uncertain = uncertainty(official.means, official.left_out, official.weights)
    noise = uncertain.noise(draws)
    first = stability.rank_frequencies(*stability.rank_ranges(sign * uncertain.drawn(official.means, noise)))[:, 0]
    sure = surely_better(sign * official.means, uncertain, noise)
    lows, highs = rank_limits(ranks, sure)
    return tuple(
        replace(
            result,
            rank_low=lows[place],
            rank_high=highs[place],
            p_first=float(first[place]),
        )
        for place, result in enumerate(placed)
    )
