"""Intervals by leaving one case out: against SciPy, plain loops, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ctspine_bench.jackknife import (
    PRIOR_DF,
    Uncertainty,
    moderated_over_labels,
    ratio_interval,
    ratio_left_out,
    uncertainty,
)


@pytest.mark.parametrize("n", [10, 12, 40, 200])
def test_a_plain_mean_has_the_interval_of_student(n: int) -> None:
    """Cases that all carry the same have exactly the interval of SciPy's t distribution."""
    values = np.random.default_rng(n).normal(0.5, 0.05, n)
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert ratio_interval(values, np.ones(n), (0.0, 1.0)) == pytest.approx(expected, rel=1e-12)


def test_a_ratio_by_loops() -> None:
    """Σ sums / Σ n without each case, one at a time; a case that has all of it leaves nothing."""
    sums, n = np.array([1.0, 2.0, 0.0, 4.0]), np.array([2.0, 3.0, 0.0, 5.0])
    expected = [sum(np.delete(sums, i)) / sum(np.delete(n, i)) for i in range(4)]
    assert ratio_left_out(sums, n) == pytest.approx(expected)
    assert np.isnan(ratio_left_out(np.array([1.0, 0.0]), np.array([1.0, 0.0]))[0])


def test_moderation_by_loops() -> None:
    """Each squared deviation counts λ + (1 − λ) · mean(w²) / w² times, at least once; freedom is from the weights."""
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(15))
    left_out = rng.normal(0, 0.1, (15, 2))
    scores = np.array([0.4, 0.6])
    found = uncertainty(scores, left_out, weights)
    carried = sum(w**2 for w in weights) ** 2 / sum(w**4 for w in weights) - 1
    own = carried / (carried + PRIOR_DF)
    for column in range(2):
        d = np.sqrt(14 / 15) * (left_out[:, column] - scores[column])
        mean_square = sum(w**2 for w in weights) / 15
        factors = [max(1.0, own + (1 - own) * mean_square / w**2) for w in weights]
        expected = sum(factor * each**2 for factor, each in zip(factors, d, strict=True))
        assert found.errors[column] ** 2 == pytest.approx(expected)
    assert found.df == pytest.approx([min(carried + PRIOR_DF, 14)] * 2)


def test_two_cases_that_carry_a_score_have_few_degrees_of_freedom() -> None:
    """If two of twenty cases carry nearly all of it, the interval has hardly more than those of the prior."""
    weights = np.array([0.49, 0.49, *np.full(18, 0.02 / 18)])
    found = uncertainty(np.array([0.5]), np.random.default_rng(2).normal(0.5, 0.1, (20, 1)), weights)
    assert PRIOR_DF < found.df[0] < PRIOR_DF + 1.1


@pytest.mark.parametrize("n", [20, 41, 99, 198])
def test_what_hangs_on_one_case_is_not_certain(n: int) -> None:
    """A lead that goes with a single case has an error as large as itself, however many other cases there are."""
    weights = np.array([0.2, *np.full(n - 1, 0.8 / (n - 1))])
    left_out = np.full((n, 1), 0.15)
    left_out[0] = 0.0
    found = uncertainty(np.array([0.15]), left_out, weights)
    assert found.errors[0] == pytest.approx(0.15 * np.sqrt((n - 1) / n))
    low, high = found.intervals(np.array([0.15]), (-1.0, 1.0))[:, 0]
    assert low < 0 < high


def test_a_case_without_a_reference_counts_as_it_is() -> None:
    """A case that carries nothing by its reference, but has a spurious vertebra, widens the interval."""
    weights = np.array([*np.full(12, 1 / 12), 0.0])
    left_out = np.full((13, 1), 0.5)
    left_out[:12] += np.random.default_rng(3).normal(0, 0.01, (12, 1))
    without = uncertainty(np.array([0.5]), left_out, weights).errors[0]
    left_out[12] += 0.1
    assert uncertainty(np.array([0.5]), left_out, weights).errors[0] == pytest.approx(
        np.hypot(without, 0.1 * np.sqrt(11 / 12))
    )


def test_labels_are_moderated_by_all_labels() -> None:
    """By hand: variances of one vertebra 2, 4 and 0 from 5, 3 and 1 cases; the common one is (4 · 2 + 2 · 4) / 6."""
    variances, df = moderated_over_labels(np.array([2 / 5, 4 / 3, 0.0]), np.array([5.0, 3.0, 1.0]))
    common = 16 / 6
    expected = [(4 * 2 + 3 * common) / 7 / 5, (2 * 4 + 3 * common) / 5 / 3, common]
    assert variances == pytest.approx(expected)
    assert df.tolist() == [6, 5, 3]  # and never more than all labels have together, which is 6


def test_a_label_that_all_miss_is_not_certain() -> None:
    """Its own variance is 0; that of the others says how far its mean could be off."""
    variances, _ = moderated_over_labels(np.array([0.01, 0.0]), np.array([20.0, 20.0]))
    assert variances[1] == pytest.approx(3 * 0.5 * 0.01 / 22)


def test_differences_are_not_moderated() -> None:
    """Their squared error is the sum of the squared deviations, whatever the cases carry; freedom is n − 1."""
    rng = np.random.default_rng(6)
    left_out = rng.normal(0, 0.1, (15, 1))
    found = uncertainty(np.array([0.2]), left_out, rng.dirichlet(np.ones(15))).of_differences()
    d = np.sqrt(14 / 15) * (left_out[:, 0] - 0.2)
    assert found.errors[0] == pytest.approx(np.sqrt(sum(each**2 for each in d)))
    half = stats.t.ppf(0.975, 14) * found.errors[0]
    assert found.intervals(np.array([0.2]), (-9.0, 9.0))[:, 0] == pytest.approx([0.2 - half, 0.2 + half])


def test_intervals_stay_where_scores_can_be() -> None:
    """An interval ends at the best and at the worst score that there is."""
    wide = Uncertainty(np.array([[0.3, 0.3]]), np.ones((1, 2)), np.array([10.0, 10.0]))
    low, high = wide.intervals(np.array([0.9, 0.1]), (0.0, 1.0))
    half = 0.3 * stats.t.ppf(0.975, 10)
    assert low == pytest.approx([0.9 - half, 0.0])
    assert high == pytest.approx([1.0, 0.1 + half])


def test_equal_values_have_no_width() -> None:
    """Cases that agree leave no uncertainty."""
    assert ratio_interval(np.full(12, 0.25), np.ones(12), (0.0, 1.0)) == pytest.approx((0.25, 0.25))


def test_draws_have_the_covariance_of_the_deviations() -> None:
    """Noise is normal with covariance DᵀD; drawn scores are Student's t about the scores (Kolmogorov–Smirnov)."""
    rng = np.random.default_rng(4)
    deviations = rng.normal(0, 0.1, (30, 3))
    deviations[:, 2] = deviations[:, 1]
    found = Uncertainty(deviations, np.ones((30, 3)), np.full(3, 12.0))
    noise = found.noise(40_000)
    assert np.cov(noise, rowvar=False) == pytest.approx(deviations.T @ deviations, abs=0.01)
    assert noise[:, 1] == pytest.approx(noise[:, 2], abs=1e-12)
    drawn = found.drawn(np.array([0.5, 0.6, 0.7]), noise)
    assert stats.kstest((drawn[:, 0] - 0.5) / found.errors[0], stats.t(12).cdf).pvalue > 0.01


def test_noise_is_fixed() -> None:
    """The same deviations give the same draws on every run."""
    found = Uncertainty(np.random.default_rng(5).normal(size=(12, 2)), np.ones((12, 2)), np.full(2, 11.0))
    assert np.array_equal(found.noise(100), found.noise(100))
