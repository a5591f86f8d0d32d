"""Two submissions on the same cases: is there a difference, and how large is it?

Per-case means are compared by the Wilcoxon signed-rank test with Pratt's treatment of zeros (Pratt, 1959,
doi:10.1080/01621459.1959.10501526), and the effect is the Hodges–Lehmann estimate, the median of all means of two
differences (Hodges & Lehmann, 1963, doi:10.1214/aoms/1177704172), with the interval that inverts the test (Hollander,
Wolfe & Chicken, 2014, section 3.3). Several tests are corrected together by Holm's method (1979).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.rankings.paired import METRICS, case_means, comparable, n_reference_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

LEVEL: Final = 0.05
# What follows is rounding: it must neither hide a zero nor part two differences that tie.
_DIGITS: Final = 12


@dataclass(frozen=True)
class PairwiseTest:
    """How two submissions differ, in the unit of the metric; positive where the first has the larger values.

    Attributes:
        n: How many cases both have.
        p: Two-sided, of this test alone; `None` under ten cases.
        p_holm: Corrected for all tests of the same test set and metric; `None` if it was made alone.
        effect: Hodges–Lehmann estimate; NaN without cases.
        low: Lower end of its 95 % interval; `None` under ten cases.
        high: Upper end.
    """

    n: int
    p: float | None
    effect: float
    low: float | None
    high: float | None
    p_holm: float | None = None


def wilcoxon(differences: NDArray[np.float64]) -> PairwiseTest:
    """Test whether differences `(n,)` are symmetric about 0; NaN are cases without a vertebra and are left out."""
    found = np.round(differences[~np.isnan(differences)], _DIGITS)
    n = found.size
    if n == 0:
        return PairwiseTest(0, None, float("nan"), None, None)
    walsh = walsh_averages(found)
    effect = float(np.median(walsh))
    if n < SMALLEST_N:
        return PairwiseTest(n, None, effect, None, None)
    p = 1.0
    if found.any():
        from scipy import stats  # slow to import

        p = float(stats.wilcoxon(found, zero_method="pratt", method="approx").pvalue)
    low, high = _interval(np.sort(walsh), n)
    return PairwiseTest(n, p, effect, low, high)


def walsh_averages(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of all pairs of differences, each with itself included, `(n (n + 1) / 2,)`."""
    i, j = np.triu_indices(differences.size)
    averages: NDArray[np.float64] = (differences[i] + differences[j]) / 2
    return averages


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number by Holm's step-down method."""
    order = np.argsort(p, kind="stable")
    ordered = np.asarray(p, dtype=np.float64)[order]
    corrected = np.minimum(np.maximum.accumulate(ordered * np.arange(ordered.size, 0, -1)), 1.0)
    result = np.empty_like(corrected)
    result[order] = corrected
    return [float(value) for value in result]


def pairwise_tests(paired: PairedScores, metric: str, region: str = "all") -> dict[tuple[str, str], PairwiseTest]:
    """Test all pairs of submissions on their per-case means, corrected for the number of pairs.

    Returns:
        (one, other) in the order of `paired.slugs` → the test of one − other.
    """
    means, enough = case_means(paired, metric, region), n_reference_cases(paired, region) >= SMALLEST_N
    found = {}
    for i, j in combinations(range(len(paired.slugs)), 2):
        one, other = comparable(means[:, [i, j]], METRICS[metric].best).T
        test = wilcoxon(one - other)
        found[paired.slugs[i], paired.slugs[j]] = test if enough else replace(test, p=None, low=None, high=None)
    tested = [pair for pair, test in found.items() if test.p is not None]
    corrected = holm([found[pair].p or 0.0 for pair in tested])
    return {**found, **{pair: replace(found[pair], p_holm=p) for pair, p in zip(tested, corrected, strict=True)}}


def p_values_of_all(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return the one-sided p value that the one of the row is better than the one of the column, `(S, S)`.

    The same test as `wilcoxon`, by its normal approximation, for all pairs at once.
    """
    from scipy.special import ndtr  # slow to import

    means = case_means(paired, metric, region)
    means = means[~np.isnan(means).all(axis=1)]
    sign = 1.0 if METRICS[metric].larger_is_better else -1.0
    oriented, best = np.ascontiguousarray(sign * means.T), sign * METRICS[metric].best
    n_submissions = len(oriented)
    result = np.ones((n_submissions, n_submissions))
    for i in range(n_submissions - 1):
        one, others = np.broadcast_arrays(oriented[i], oriented[i + 1 :])
        both = comparable(np.stack([one, others], axis=-1).reshape(-1, 2), best).reshape(*others.shape, 2)
        z = _z_of_pairs(np.round(both[..., 0] - both[..., 1], _DIGITS))
        result[i, i + 1 :] = ndtr(-z)
        result[i + 1 :, i] = ndtr(z)
    return result


def _z_of_pairs(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standardised statistic of each row, over the cases in which either of the two has a vertebra."""
    nothing = np.isnan(differences)
    whole = ~nothing.any(axis=1)
    z = np.empty(len(differences))
    z[whole] = _signed_rank_z(differences[whole])
    for row in np.flatnonzero(~whole):
        z[row] = _signed_rank_z(differences[row, ~nothing[row]][None])[0]
    return z


def _signed_rank_z(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standardised signed-rank statistic of each row, zeros by Pratt; 0 where all are zero.

    Args:
        differences: `(rows, n)`, rounded: the last bit of a size is given up.
    """
    n = differences.shape[1]
    if not n:
        return np.zeros(len(differences))
    # With the sign in the place of the last bit, one sort of whole numbers orders sizes and signs: nothing is quicker.
    ordered = np.abs(differences).view(np.int64) & -2 | (differences > 0)
    ordered.sort(axis=1)
    sizes, signs = ordered >> 1, 2.0 * (ordered & 1) - 1.0
    total = signs @ np.arange(1.0, n + 1)
    squares = np.full(len(differences), n * (n + 1) * (2 * n + 1) / 6)
    tied = (sizes[:, 0] == 0) | (sizes[:, 1:] == sizes[:, :-1]).any(axis=1)
    ranks = _ranks_with_ties(sizes[tied])
    total[tied], squares[tied] = (signs[tied] * ranks).sum(axis=1), (ranks**2).sum(axis=1)
    # Under the null hypothesis each rank has either sign with probability ½.
    z: NDArray[np.float64] = np.divide(total, np.sqrt(squares), out=np.zeros_like(total), where=squares > 0)
    return z


def _ranks_with_ties(ordered: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the ranks in sorted rows; those that tie share the mean of theirs, and zeros have none."""
    n = ordered.shape[1]
    places = np.arange(n)
    parts = ordered[:, 1:] != ordered[:, :-1]
    first, last = np.zeros(ordered.shape, np.int64), np.full(ordered.shape, n - 1)
    first[:, 1:] = np.where(parts, places[1:], 0)
    last[:, :-1] = np.where(parts, places[:-1], n - 1)
    first = np.maximum.accumulate(first, axis=1)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    ranks: NDArray[np.float64] = np.where(ordered == 0, 0.0, (first + last) / 2 + 1)
    return ranks


def _interval(walsh: NDArray[np.float64], n: int) -> tuple[float, float]:
    """Return the order statistics of the sorted Walsh averages that the test at 5 % does not reject."""
    mean, error = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    skipped = max(0, int(np.floor(mean - NormalDist().inv_cdf(1 - LEVEL / 2) * error)))
    return float(walsh[skipped]), float(walsh[-1 - skipped])
