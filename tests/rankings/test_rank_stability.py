"""Ranks over many draws, and how alike two rankings are: against SciPy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from ctspine_bench.rankings.stability import kendall_tau, rank_frequencies, rank_ranges

MANY_TIES = st.integers(1, 6).flatmap(lambda n: arrays(np.int64, (4, n), elements=st.integers(0, 4)))


@settings(max_examples=60, deadline=None)
@given(MANY_TIES)
def test_ranks_are_those_of_scipy(numbers: np.ndarray) -> None:
    """The first and the last of the ranks that a tie shares are SciPy's "min" and "max"; the larger score is first."""
    low, high = rank_ranges(numbers / 7)
    assert low.tolist() == [stats.rankdata(-row, "min").tolist() for row in numbers]
    assert high.tolist() == [stats.rankdata(-row, "max").tolist() for row in numbers]


def test_rounding_is_a_tie_and_a_difference_is_none() -> None:
    """1/3 in two ways is a tie; a billionth is not."""
    low, high = rank_ranges(np.array([[1 / 3, 1 - 2 / 3, 1 / 3 + 1e-9]]))
    assert (low.tolist(), high.tolist()) == ([[2, 2, 1]], [[3, 3, 1]])


def test_no_draws() -> None:
    """Without draws there are no ranks."""
    low, high = rank_ranges(np.empty((0, 3)))
    assert low.shape == high.shape == (0, 3)


@settings(max_examples=60, deadline=None)
@given(MANY_TIES)
def test_frequencies_are_shares_of_ranks(numbers: np.ndarray) -> None:
    """Counted one draw at a time, a tie of k giving each 1/k of k ranks; rows and columns add up to 1."""
    low, high = rank_ranges(numbers.astype(float))
    draws, n = numbers.shape
    expected = np.zeros((n, n))
    for row in numbers:
        for one in range(n):
            better, tied = int((row > row[one]).sum()), int((row == row[one]).sum())
            expected[one, better : better + tied] += 1 / tied / draws
    found = rank_frequencies(low, high)
    assert found == pytest.approx(expected, abs=1e-12)
    assert found.sum(axis=0) == pytest.approx(np.ones(n))
    assert found.sum(axis=1) == pytest.approx(np.ones(n))


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 7).flatmap(lambda n: arrays(np.int64, (3, n), elements=st.integers(1, 5))))
def test_tau_is_that_of_scipy(ranks: np.ndarray) -> None:
    """τ_b with ties on both sides, for several rankings at once; NaN where one of the two is a single tie."""
    found = kendall_tau(ranks[0], ranks[1:])
    expected = [stats.kendalltau(ranks[0], row).statistic for row in ranks[1:]]
    assert found == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)


def test_tau_of_many() -> None:
    """Two hundred submissions, as SciPy has it."""
    rng = np.random.default_rng(0)
    ranks, drawn = rng.integers(1, 150, 200), rng.integers(1, 150, (5, 200))
    expected = [stats.kendalltau(ranks, row).statistic for row in drawn]
    assert kendall_tau(ranks, drawn) == pytest.approx(np.array(expected), abs=1e-12)


def test_tau_by_hand() -> None:
    """The same order 1, the opposite −1; of three pairs one turned round is 1/3; alone there is no order."""
    drawn = np.array([[1, 2, 3], [3, 2, 1], [2, 1, 3]])
    assert kendall_tau(np.array([1, 2, 3]), drawn) == pytest.approx([1, -1, 1 / 3])
    assert np.isnan(kendall_tau(np.array([1]), np.array([[1]]))).all()
