"""Means over vertebrae and their intervals, against plain loops and SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats
from simulated_scores import scores_of

from ctspine_bench.domain_gap import Estimate, estimate
from ctspine_bench.jackknife import uncertainty

if TYPE_CHECKING:
    from ctspine_bench.rankings.paired import PairedScores


def some_scores(n_cases: int = 20) -> PairedScores:
    """Two submissions on cases with one to four of four labels; each has a spurious one now and then."""
    rng = np.random.default_rng(1)
    dsc = rng.beta(5, 2, (n_cases, 4, 2))
    dsc[rng.random((n_cases, 4)) < 0.4] = np.nan
    dsc[:, 1] = 0.6
    return scores_of(dsc, spurious=rng.random(dsc.shape) < 0.1)


def by_loops(paired: PairedScores, column: int, cases: set[int]) -> float:
    """Each label's mean over who has it, weighed by how many references do, one vertebra after the other."""
    sums: dict[int, float] = {}
    counts: dict[int, int] = {}
    references: dict[int, int] = {}
    vertebrae = paired.vertebrae
    for row, (case, label) in enumerate(zip(vertebrae.case.tolist(), vertebrae.label.tolist(), strict=True)):
        if case in cases and paired.present[row, column]:
            sums[label] = sums.get(label, 0.0) + paired.measures["dsc"][row, column]
            counts[label] = counts.get(label, 0) + 1
            references[label] = references.get(label, 0) + int(vertebrae.in_reference[row])
    total = sum(references[label] * sums[label] / counts[label] for label in sums)
    return total / sum(references.values())


def test_by_hand() -> None:
    """Every vertebra counts the same, however many its case has; missed ones are 0."""
    dsc = np.array([[[0.9], [0.6], [0.0]], [[0.5], [np.nan], [np.nan]]])
    assert estimate(scores_of(dsc), "s0") == Estimate(2, 4, pytest.approx(0.5))


def test_a_spurious_vertebra_counts_against_its_label() -> None:
    """T11 at .9 and spurious once is .45, T12 is .6: with two references of T12 that is (.45 + 2 · .6) / 3."""
    dsc = np.array([[[0.9], [0.6]], [[np.nan], [0.6]]])
    spurious = np.array([[[False], [False]], [[True], [False]]])
    assert estimate(scores_of(dsc, spurious=spurious), "s0") == Estimate(2, 3, pytest.approx(0.55))


def test_interval_against_a_loop() -> None:
    """Leaving one case out after the other, by loops over single vertebrae."""
    paired = some_scores()
    everything = set(range(20))
    expected = by_loops(paired, 1, everything)
    left_out = np.array([[by_loops(paired, 1, everything - {gone})] for gone in range(20)])
    of_case = np.bincount(paired.vertebrae.case[paired.vertebrae.in_reference])
    ends = uncertainty(np.array([expected]), left_out, of_case / of_case.sum()).intervals(np.array([expected]), (0, 1))
    found = estimate(paired, "s1")
    assert found.dsc == pytest.approx(expected, abs=1e-12)
    assert (found.low, found.high) == pytest.approx(tuple(ends[:, 0]), abs=1e-12)
    assert (found.n_cases, found.n_vertebrae) == (20, int(paired.vertebrae.in_reference.sum()))


def test_one_vertebra_a_case_has_the_interval_of_student() -> None:
    """Then the mean is a plain one over cases, and its interval SciPy's."""
    values = np.random.default_rng(2).beta(5, 2, 30)
    found = estimate(scores_of(values[:, None, None]), "s0")
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 29, values.mean(), stats.sem(values)))


def test_some_vertebrae_are_as_if_there_were_no_others() -> None:
    """The mean over some rows, and its interval, are those of these rows alone."""
    paired = some_scores()
    rows = paired.vertebrae.label == 18
    assert estimate(paired, "s0", rows) == estimate(paired.of_rows(rows), "s0")
    assert estimate(paired, "s0", np.zeros(len(rows), bool)) == Estimate(0, 0, None)


def test_under_ten_cases_there_is_no_interval() -> None:
    """Nine cases with a vertebra have a mean alone, whatever others there are; ten have an interval."""
    dsc = np.full((15, 2, 1), np.nan)
    dsc[:10, 0] = np.linspace(0.1, 1, 10)[:, None]
    dsc[:9, 1] = 0.5
    paired = scores_of(dsc)
    nine, ten = (estimate(paired, "s0", paired.vertebrae.label == label) for label in (19, 18))
    assert nine == Estimate(9, 9, 0.5)
    assert ten.low is not None
    assert ten.low < ten.dsc < ten.high


def test_nothing_is_no_error() -> None:
    """A test set of which no vertebra is left has no mean."""
    assert estimate(some_scores().of_labels([1]), "s0") == Estimate(0, 0, None)
