"""Which submissions are surely better than which, and the ranks that this leaves.

A submission is surely better than another when the simultaneous 95 % interval of the difference between their scores
excludes 0. The intervals hold for all pairs at once by the max-|t| method (Mogstad et al., 2023, use it for ranks,
doi:10.1093/restud/rdad006): the 95th percentile of the largest standardised deviation over all pairs takes the place
that Student's t has for a single pair, so that nothing more has to be corrected for how many submissions there are.
Errors and draws are those of `jackknife`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.jackknife import CONFIDENCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.jackknife import Uncertainty

# Differences between scores that are smaller are rounding, and so are standard errors.
_ROUNDING: Final = 1e-12
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


def ranks_of(oriented: NDArray[np.float64], tie_breaks: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Return 1 + the number of better ones, `(S,)`: by the score, then by what breaks ties; the larger the better."""
    tie_breaks = np.zeros_like(oriented) if tie_breaks is None else tie_breaks
    differences = oriented[:, None] - oriented
    tied = np.abs(differences) <= _ROUNDING
    better = (differences > _ROUNDING) | (tied & (tie_breaks[:, None] - tie_breaks > _ROUNDING))
    n_better: NDArray[np.int64] = better.sum(axis=0)
    return 1 + n_better


def rank_limits(ranks: NDArray[np.int64], sure: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return the first and the last rank that each is compatible with, from who is surely better than whom `(S, S)`.

    Where scores count as told, a surely better one may share the rank, or lose it by what breaks ties: a rank is always
    within its limits.
    """
    low, high = 1 + sure.sum(axis=0), len(sure) - sure.sum(axis=1)
    return np.minimum(low, ranks).tolist(), np.maximum(high, ranks).tolist()


def surely_better(scores: NDArray[np.float64], uncertain: Uncertainty, noise: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Compare all pairs of submissions by simultaneous intervals of their differences.

    Args:
        scores: `(S,)`, as observed; the larger the better.
        uncertain: How far they could be off.
        noise: `(draws, S)`, normal draws of that.

    Returns:
        `(S, S)`: whether the one of the row is surely better than the one of the column.
    """
    errors = difference_errors(uncertain.deviations)
    # A pair whose difference has no error has no say in the largest deviation.
    precision = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0).astype(np.float32)
    deviations = noise.astype(np.float32)
    largest = np.concatenate(
        [_largest(deviations[i : i + _BLOCK], precision) for i in range(0, len(deviations), _BLOCK)]
    )
    of_all_pairs = max(float(np.quantile(largest, CONFIDENCE)), _OF_ONE)
    limit = _students(of_all_pairs, float(uncertain.df.min()))
    sure: NDArray[np.bool_] = scores[:, None] - scores > limit * errors + _ROUNDING
    return sure


def _students(z: float, df: float) -> float:
    """Return where Student's t has the tail that the normal distribution has from z on: errors are estimates too."""
    from scipy.special import ndtr, stdtrit  # slow to import, and standings are mostly read from the cache

    return -float(stdtrit(df, float(ndtr(-z))))


def difference_errors(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard errors of the differences between all pairs, `(S, S)`; exactly 0 for copies."""
    columns = np.ascontiguousarray(deviations.T)
    errors = np.array([np.sqrt(((columns - column) ** 2).sum(axis=1)) for column in columns])
    return np.where(errors > _ROUNDING, errors, 0.0)


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
