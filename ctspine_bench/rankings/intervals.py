"""How far a score or a rank could reasonably be from what was observed.

A submission is surely better than another when the simultaneous 95 % interval of the difference between their scores
excludes 0. The intervals hold for all pairs at once by the max-|t| method (Mogstad et al., 2023, use it for ranks,
doi:10.1093/restud/rdad006): the 95th percentile of the largest standardised deviation over all pairs takes the place
that 1.96 has for a single pair, so that nothing more has to be corrected for how many submissions there are.

Draws tell the shape of deviations, but too small a size where few cases decide: the mean of a label that a single case
has is the same under any weights. So standard errors are also worked out by leaving out one case at a time (the
jackknife: Tukey, 1958; never too small on average: Efron & Stein, 1981, doi:10.1214/aos/1176345462), to which it makes
a difference that the label goes; the larger one counts. And as an error from n cases is itself uncertain, Student's t
with n − 1 degrees of freedom takes the place of the normal distribution. For a score this makes of the percentiles of
the draws an expanded percentile interval (Hesterberg, 2015, doi:10.1080/00031305.2015.1089789).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95

# Differences between scores that are smaller are rounding, and so are standard errors.
_ROUNDING: Final = 1e-12
# Likewise for the variance of a difference, as a share of the variances of its two parts.
_NO_VARIANCE: Final = 1e-13
# 1.96: the half width of a normal interval in standard errors.
_OF_ONE: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
# Draws for which the differences of one submission to all others are held at a time: they stay in the cache.
_BLOCK: Final = 1000


@dataclass(frozen=True)
class RankInterval:
    """A rank, and the ranks that it is compatible with at 95 % confidence, jointly for all submissions.

    Attributes:
        rank: 1 + the number of better submissions; ties share a rank.
        low: 1 + the number of surely better ones; at most the rank.
        high: The number of submissions less the surely worse ones; at least the rank.
        n_ranked: How many submissions were ranked.
    """

    rank: int
    low: int
    high: int
    n_ranked: int


def surely_better(
    scores: NDArray[np.float64], resampled: NDArray[np.float64], left_out: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Compare all pairs of submissions by simultaneous intervals of their differences.

    Args:
        scores: `(S,)`, as observed; the larger the better.
        resampled: `(draws, S)`, the same under resampled cases, paired.
        left_out: `(n, S)`, the same without one of the n cases each.

    Returns:
        `(S, S)`: whether the one of the row is surely better than the one of the column.
    """
    errors = difference_errors(resampled)
    # A pair that differs by the same amount in every draw has no error and no say in the largest deviation.
    precision = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0).astype(np.float32)
    deviations = (resampled - scores).astype(np.float32)
    largest = np.concatenate(
        [_largest(deviations[i : i + _BLOCK], precision) for i in range(0, len(deviations), _BLOCK)]
    )
    n_cases = len(left_out)
    of_all_pairs = max(float(np.quantile(largest, CONFIDENCE)), _OF_ONE)
    margin = _student(of_all_pairs, n_cases) * np.maximum(errors, _jackknife(difference_errors(left_out), n_cases))
    sure: NDArray[np.bool_] = scores[:, None] - scores > margin + _ROUNDING
    return sure


def score_intervals(
    scores: NDArray[np.float64],
    resampled: NDArray[np.float64],
    left_out: NDArray[np.float64],
    bounds: tuple[float, float],
) -> NDArray[np.float64]:
    """Return the 95 % interval of each score by itself, `(2, S)`: its lower and its upper end.

    Args:
        scores: `(S,)`, as observed.
        resampled: `(draws, S)`, the same under resampled cases.
        left_out: `(n, S)`, the same without one of the n cases each.
        bounds: The least and the largest score that there can be.
    """
    errors, n_cases = resampled.std(axis=0), len(left_out)
    tail = 100 * (1 - CONFIDENCE) / 2
    deviations = np.percentile(resampled, [tail, 100 - tail], axis=0) - scores
    # Where all draws agree, they say nothing about the shape either: it is taken to be normal.
    normal = np.outer([-_OF_ONE, _OF_ONE], np.ones_like(errors))
    shape = np.divide(deviations, errors, out=normal, where=errors > _ROUNDING)
    size = np.maximum(errors, _jackknife(left_out.std(axis=0), n_cases)) * _student(_OF_ONE, n_cases) / _OF_ONE
    ends: NDArray[np.float64] = np.clip(scores + shape * size, *bounds)
    return ends


def difference_errors(resampled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard errors of the differences between all pairs, `(S, S)`; exactly 0 for copies."""
    covariance = np.atleast_2d(np.cov(resampled, rowvar=False, ddof=0))
    of_both = np.add.outer(np.diag(covariance), np.diag(covariance))
    variance = of_both - 2 * covariance
    least = np.maximum(_NO_VARIANCE * of_both, _ROUNDING**2)
    errors: NDArray[np.float64] = np.sqrt(np.where(variance > least, variance, 0.0))
    return errors


def _jackknife(deviation: NDArray[np.float64], n_cases: int) -> NDArray[np.float64]:
    """Return the standard error of what deviates so much, as a population, when one of the cases is left out."""
    error: NDArray[np.float64] = np.sqrt(n_cases - 1) * deviation
    return error


def _student(z: float, n_cases: int) -> float:
    """Return where t with n − 1 degrees of freedom has the tail that the normal distribution has from z on."""
    from scipy.special import ndtr, stdtrit  # slow to import, and standings are mostly read from the cache

    return float(-stdtrit(n_cases - 1, ndtr(-z)))


def _largest(deviations: NDArray[np.float32], precision: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest standardised deviation over all pairs in each draw."""
    largest = np.zeros(len(deviations), np.float32)
    # One submission against those after it at a time: all pairs of all draws at once would not fit in memory.
    for i in range(deviations.shape[1] - 1):
        of_pairs = deviations[:, i + 1 :] - deviations[:, i, None]
        np.abs(of_pairs, out=of_pairs)
        of_pairs *= precision[i, i + 1 :]
        np.maximum(largest, of_pairs.max(axis=1), out=largest)
    return largest
