"""Intervals by the Bayesian bootstrap, against its closed forms and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ctspine_bench.aggregate import estimate
from ctspine_bench.bootstrap import DRAWS, SMALLEST_N, case_weights, mean_interval

VALUES = np.array([0.2, 0.95, 0.91, 0.88, 0.97, 0.6, 0.93, 0.9, 0.85, 0.99, 0.94, 0.4])


def test_weights_are_dirichlet() -> None:
    """Rows are positive and add up to 1; means and variances are those of Dirichlet(1, …, 1) in SciPy."""
    weights = case_weights(7)
    expected = stats.dirichlet(np.ones(7))
    assert weights.shape == (DRAWS, 7)
    assert weights.sum(axis=1) == pytest.approx(np.ones(DRAWS))
    assert weights.min() > 0
    assert weights.mean(axis=0) == pytest.approx(expected.mean(), abs=0.005)
    assert weights.var(axis=0) == pytest.approx(expected.var(), rel=0.1)


def test_marginal_weight_is_beta() -> None:
    """One weight among n follows Beta(1, n − 1) (Kolmogorov–Smirnov)."""
    assert stats.kstest(case_weights(6)[:, 2], stats.beta(1, 5).cdf).pvalue > 0.01


def test_mean_and_variance_have_their_closed_form() -> None:
    """The weighted mean has the mean of the values and variance s²/(n + 1), s² the population variance."""
    means = case_weights(VALUES.size) @ VALUES
    assert means.mean() == pytest.approx(VALUES.mean(), abs=0.003)
    assert means.var() == pytest.approx(VALUES.var() / (VALUES.size + 1), rel=0.05)


def test_interval_agrees_with_independent_draws() -> None:
    """95 % percentile limits agree with those of SciPy's own Dirichlet draws."""
    draws = stats.dirichlet(np.ones(VALUES.size)).rvs(40_000, random_state=1) @ VALUES
    assert mean_interval(VALUES) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.006)


def test_interval_is_near_the_t_interval_for_many_cases() -> None:
    """With 200 well-behaved cases it is close to the interval of the t distribution."""
    values = np.random.default_rng(0).normal(0.9, 0.02, 200)
    low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(expected, abs=4e-4)


@pytest.mark.parametrize("n", [0, 1, SMALLEST_N - 1])
def test_no_interval_for_few_cases(n: int) -> None:
    """Under ten cases there is no interval; the mean stays, and is empty for none."""
    values = VALUES[:n]
    assert mean_interval(values) is None
    found = estimate(values)
    assert (found.n, found.low, found.high) == (n, None, None)
    assert found.mean == (pytest.approx(values.mean()) if n else None)


def test_interval_from_ten_cases_on() -> None:
    """Ten cases have one, around the mean and within the range of the values."""
    low, high = mean_interval(VALUES[:10])
    assert VALUES[:10].min() < low < VALUES[:10].mean() < high < VALUES[:10].max()


def test_equal_values_have_no_width() -> None:
    """Cases that agree leave no uncertainty."""
    assert mean_interval(np.full(12, 0.25)) == pytest.approx((0.25, 0.25))


def test_draws_are_fixed() -> None:
    """The same cases give the same interval on every run; another seed gives nearly the same."""
    assert mean_interval(VALUES) == mean_interval(VALUES)
    other = np.percentile(case_weights(VALUES.size, seed=1) @ VALUES, [2.5, 97.5])
    assert mean_interval(VALUES) == pytest.approx(tuple(other), abs=0.01)
