"""By how much methods differ, pair by pair: Mean of Vertebrae, a test on per-case means, and each label."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.own_runs import averages
from ctspine_bench.own_runs.outcome import LabelDifference, MethodResult, PairResult
from ctspine_bench.rankings.differences import difference_of_means, differences_of_labels
from ctspine_bench.rankings.paired import METRICS, REGIONS, case_means, comparable, n_reference_cases
from ctspine_bench.rankings.pairwise import holm, wilcoxon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.own_runs.averages import Average
    from ctspine_bench.own_runs.methods import Methods
    from ctspine_bench.rankings.differences import Difference
    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.rankings.pairwise import PairwiseTest

ALL_PAIRS_UP_TO: Final = 4
"""How many methods are compared in all pairs; of more, each with the best one."""


def chosen_pairs(
    results: Sequence[MethodResult], *, baseline: bool
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the pairs to test, which p values are corrected for, and those to show.

    Who is the best is known from the same cases: shown against it alone, pairs are corrected for as all of them.
    """
    everything = list(combinations(range(len(results)), 2))
    if baseline:
        against_first = [(other, 0) for other in range(1, len(results))]
        return against_first, against_first
    if len(results) <= ALL_PAIRS_UP_TO:
        return everything, everything
    order = sorted(range(len(results)), key=lambda place: (results[place].rank, place))
    against_best = [(order[0], other) for other in order[1:]]
    shown = {frozenset(each) for each in against_best}
    return [*against_best, *(each for each in everything if frozenset(each) not in shown)], against_best


def corrected_tests(
    methods: Methods, paired: PairedScores, metric: str, region: str, pairs: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], PairwiseTest]:
    """Test pairs on per-case means averaged over runs, corrected for their number."""
    of_runs, enough = case_means(paired, metric, region), n_reference_cases(paired, region) >= SMALLEST_N
    tests = {}
    for one, other in pairs:
        runs = np.isin(methods.of_method, (one, other))
        means, is_first = comparable(of_runs[:, runs], METRICS[metric].best), methods.of_method[runs] == one
        test = wilcoxon(means[:, is_first].mean(axis=1) - means[:, ~is_first].mean(axis=1))
        tests[one, other] = test if enough else replace(test, p=None, low=None, high=None)
    tested = [each for each, test in tests.items() if test.p is not None]
    corrected = holm([tests[each].p or 0.0 for each in tested])
    return {**tests, **{each: replace(tests[each], p_holm=p) for each, p in zip(tested, corrected, strict=True)}}


def pair_results(
    methods: Methods,
    paired: PairedScores,
    metric: str,
    region: str,
    pairs: Sequence[tuple[int, int, PairwiseTest]],
) -> tuple[PairResult, ...]:
    """Return by how much the methods of each pair differ.

    Args:
        methods: All of them, on all cases.
        paired: Their scores on the cases that count in the region.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        pairs: Places of the first and the second, with their test.
    """
    official = averages.mean_of_vertebrae(paired, metric, region).over_runs(methods.of_method)
    # Of all regions, as what is known of other labels says how far one could be off.
    labels = {
        name: average.over_runs(methods.of_method)
        for name, average in averages.of_labels(methods.paired, metric, "all").items()
    }
    names = [method.name for method in methods.methods]
    chosen = {vertebra_name(label) for label in REGIONS[region]}
    return tuple(
        PairResult(
            one=names[one],
            other=names[other],
            mean=_difference(official, one, other, metric),
            test=test,
            labels={
                name: each for name, each in _label_differences(labels, one, other, metric).items() if name in chosen
            },
        )
        for one, other, test in pairs
    )


def _difference(average: Average, one: int, other: int, metric: str) -> Difference:
    """Return the difference of two methods in Mean of Vertebrae."""
    two = [one, other]
    n = int(average.counts[two].min())
    return difference_of_means(n, average.means[two], average.left_out[:, two], average.weights[:, one], metric)


def _label_differences(labels: Mapping[str, Average], one: int, other: int, metric: str) -> dict[str, LabelDifference]:
    """Return the difference of each label that both have."""
    two = [one, other]
    both = {name: each for name, each in labels.items() if not np.isnan(each.means[two]).any()}
    if not both:
        return {}
    n, means = (np.array([getattr(each, name)[two] for each in both.values()]) for name in ("counts", "means"))
    left_out = np.stack([each.left_out[:, two] for each in both.values()], axis=1)
    n_either = np.array([np.count_nonzero(each.weights[:, two].any(axis=1)) for each in both.values()])
    found = differences_of_labels(n, means, left_out, n_either, metric)
    return {
        name: LabelDifference((n_one, n_other), (mean_one, mean_other), difference)
        for name, (n_one, n_other), (mean_one, mean_other), difference in zip(
            both, n.tolist(), means.tolist(), found, strict=True
        )
    }
