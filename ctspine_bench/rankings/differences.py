"""By how much two submissions differ in Mean of Vertebrae and on each label, and how sure that is among many pairs.

Cases are left out of both at once (paired), so that what makes a case hard for both cancels in the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.jackknife import SMALLEST_N, ratio_left_out, uncertainty
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.paired import METRICS, REGIONS, by_label, cases_of_region, comparable_case_means
from ctspine_bench.rankings.pairwise import holm, p_values_of_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Difference:
    """A difference of two means, the first less the second, in the unit of the metric.

    Attributes:
        n: In how many cases the label counts, for the one of the two for which it counts in fewer; how many cases have
            a vertebra of the region where it is of a mean.
        value: As observed.
        low: Lower end of its 95 % interval; `None` under ten cases.
        high: Upper end.
    """

    n: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Differences:
    """How two submissions differ.

    Attributes:
        mean: In Mean of Vertebrae; `None` if no reference has a vertebra of the region.
        labels: Label → difference, of the labels that have a mean for both.
    """

    mean: Difference | None
    labels: Mapping[int, Difference]


def differences(paired: PairedScores, metric: str, region: str = "all") -> Differences:
    """Compare two submissions by the means of their labels, and by the mean of those.

    Args:
        paired: The scores of the two.
        metric: One of `METRICS`.
        region: One of `REGIONS`.

    Raises:
        ValueError: There are not two.
    """
    if len(paired.slugs) != 2:
        raise ValueError(f"expected two submissions, found {len(paired.slugs)}")
    weights = mean_then_rank.weights(paired, region)
    if not weights.any():
        return Differences(None, {})
    limit = max(1.0, METRICS[metric].worst)
    scores, left_out = mean_then_rank.scores(paired, metric, region), mean_then_rank.left_out(paired, metric, region)
    there = cases_of_region(paired, region)
    mean = _difference(int(there.sum()), scores, left_out[there], weights[there], limit)
    values, present = by_label(paired, metric, region)
    labels = {
        label: _of_label(values[:, place], present[:, place].astype(np.float64), limit)
        for place, label in enumerate(REGIONS[region])
        if present[:, place].any(axis=0).all()
    }
    return Differences(mean, labels)


def corrected_p_values(paired: PairedScores, metric: str, region: str = "all") -> NDArray[np.float64] | None:
    """Return what `pairwise_tests` gives as `p_holm`, of all pairs at once.

    Returns:
        `(S, S)`, two-sided, corrected by Holm's method for the number of pairs, 1 on the diagonal; `None` under ten
        cases.
    """
    n_cases = np.count_nonzero(~np.isnan(comparable_case_means(paired, metric, region)[:, :1]))
    if n_cases < SMALLEST_N:
        return None
    one_sided = p_values_of_all(paired, metric, region)
    pairs = np.triu_indices(len(one_sided), 1)
    two_sided = np.minimum(2 * np.minimum(one_sided[pairs], one_sided.T[pairs]), 1.0)
    corrected = np.ones_like(one_sided)
    corrected[pairs] = holm(two_sided.tolist())
    corrected.T[pairs] = corrected[pairs]
    return corrected


def _of_label(values: NDArray[np.float64], counts: NDArray[np.float64], limit: float) -> Difference:
    """Return the difference of two means of a label, from `(n, 2)` each."""
    there = counts.any(axis=1)
    values, counts = values[there], counts[there]
    n = counts.sum(axis=0)
    weights = (counts / n).mean(axis=1)
    return _difference(int(n.min()), values.sum(axis=0) / n, ratio_left_out(values, counts), weights, limit)


def _difference(
    n: int, scores: NDArray[np.float64], left_out: NDArray[np.float64], weights: NDArray[np.float64], limit: float
) -> Difference:
    """Return the difference of two scores that is at most `limit`."""
    difference = scores[:1] - scores[1:]
    if n < SMALLEST_N:
        return Difference(n, float(difference[0]))
    uncertain = uncertainty(difference, left_out[:, :1] - left_out[:, 1:], weights)
    low, high = uncertain.intervals(difference, (-limit, limit))[:, 0].tolist()
    return Difference(n, float(difference[0]), low, high)
