"""Means over vertebrae and their intervals, against plain loops and SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats
from simulated_scores import scores_of

from ctspine_bench.bootstrap import SEED, case_weights
from ctspine_bench.domain_gap import Estimate, estimate
from ctspine_bench.domain_gap.means import choices_of, drawn_weights, estimates, interval

if TYPE_CHECKING:
    from ctspine_bench.rankings.paired import PairedScores


def some_scores(n_cases: int = 20) -> PairedScores:
    """Two submissions on cases with one to four of four labels."""
    rng = np.random.default_rng(1)
    dsc = rng.beta(5, 2, (n_cases, 4, 2))
    dsc[rng.random((n_cases, 4)) < 0.4] = np.nan
    dsc[:, 1] = 0.6
    return scores_of(dsc)


def test_by_hand() -> None:
    """Every vertebra counts the same, however many its case has; missed ones are 0."""
    dsc = np.array([[[0.9], [0.6], [0.0]], [[0.5], [np.nan], [np.nan]]])
    assert estimate(scores_of(dsc), "s0") == Estimate(2, 4, pytest.approx(0.5))


def test_interval_against_a_loop() -> None:
    """Each draw by itself, one vertebra after the other."""
    paired = some_scores()
    means = []
    for weights in case_weights(20, 400):
        total = of_all = 0.0
        for case, value in zip(paired.reference.case, paired.measures["dsc"][:, 1], strict=True):
            total += weights[case] * value
            of_all += weights[case]
        means.append(total / of_all)
    found = estimate(paired, "s1", draws=400)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=1e-12)
    assert found.dsc == pytest.approx(paired.measures["dsc"][:, 1].mean(), abs=1e-12)
    assert (found.n_cases, found.n_vertebrae) == (20, len(paired.reference.case))


def test_interval_of_some_cases_is_theirs_alone() -> None:
    """Out of all cases or by themselves: another draw of the same distribution, as SciPy's Dirichlet has it."""
    paired = some_scores(60)
    of_half = np.arange(60) % 2 == 0
    (found,) = estimates(paired, "s0", choices_of(paired.reference, [of_half[paired.reference.case]]))
    alone = paired.of_cases(of_half)
    sizes = np.bincount(alone.reference.case)
    sums = np.bincount(alone.reference.case, alone.measures["dsc"][:, 0])
    weights = stats.dirichlet(np.ones(30)).rvs(20_000, random_state=2)
    expected = np.percentile((weights @ sums) / (weights @ sizes), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx(expected, abs=0.04 * np.ptp(expected))
    assert found.n_cases == 30


def test_several_at_once_are_each_by_itself() -> None:
    """What else is asked for changes nothing; what has no vertebra has no mean."""
    paired = some_scores()
    reference = paired.reference
    parts = [reference.label == 18, reference.label == 19, np.zeros(len(reference.case), bool)]
    together = estimates(paired, "s0", choices_of(reference, parts, 300))
    alone = [estimates(paired, "s0", choices_of(reference, [part], 300))[0] for part in parts]
    for one, other in zip(together, alone, strict=True):
        assert (one.n_cases, one.n_vertebrae) == (other.n_cases, other.n_vertebrae)
        assert (one.dsc, one.low, one.high) == pytest.approx((other.dsc, other.low, other.high), abs=1e-12)
    assert together[2] == Estimate(0, 0, None)


def test_under_ten_cases_there_is_no_interval() -> None:
    """Nine cases with a vertebra have a mean alone, whatever others there are; ten have an interval."""
    dsc = np.full((15, 2, 1), np.nan)
    dsc[:10, 0] = np.linspace(0.1, 1, 10)[:, None]
    dsc[:9, 1] = 0.5
    paired = scores_of(dsc)
    nine, ten = estimates(
        paired, "s0", choices_of(paired.reference, [paired.reference.label == 19, paired.reference.label == 18])
    )
    assert nine == Estimate(9, 9, 0.5)
    assert ten.low is not None
    assert ten.low < ten.dsc < ten.high


def test_nothing_is_no_error() -> None:
    """Neither no choice at all nor a test set of which no vertebra is left."""
    paired = some_scores()
    assert estimates(paired, "s0", choices_of(paired.reference, [])) == ()
    assert estimate(paired.of_labels([1]), "s0") == Estimate(0, 0, None)


def test_draws_are_kept_and_cannot_be_changed() -> None:
    """The same matrix for all, that of the intervals elsewhere; another seed is another matrix."""
    weights = drawn_weights(7, 50)
    assert weights is drawn_weights(7, 50)
    assert np.array_equal(weights, case_weights(7, 50))
    assert not np.array_equal(weights, drawn_weights(7, 50, SEED + 1))
    with pytest.raises(ValueError, match="read-only"):
        weights[0, 0] = 1.0


def test_interval_is_two_percentiles() -> None:
    """2.5 and 97.5 % of 0 … 1000."""
    assert interval(np.arange(1001.0)) == (25.0, 975.0)
