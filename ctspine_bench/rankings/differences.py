"""By how much two submissions differ in Mean of Vertebrae and on each label, and how sure that is among many pairs.

Both are scored under the same case weights (paired), so that what makes a case hard for both cancels in the difference.
Intervals are those of standings (`intervals.score_intervals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.bootstrap import DRAWS, SMALLEST_N, case_weights
from ctspine_bench.rankings.intervals import score_intervals
from ctspine_bench.rankings.paired import METRICS, REGIONS, case_means
from ctspine_bench.rankings.pairwise import holm, p_values_of_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Difference:
    """A difference of two means, the first less the second, in the unit of the metric.

    Attributes:
        n: How many cases it is from.
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
        labels: Label → difference, of the labels that a reference has.
    """

    mean: Difference | None
    labels: Mapping[int, Difference]


def differences(paired: PairedScores, metric: str, region: str = "all", *, draws: int = DRAWS) -> Differences:
    """Compare two submissions by the means of their labels, and by the mean of those.

    Args:
        paired: The scores of the two.
        metric: One of `METRICS`.
        region: One of `REGIONS`.
        draws: How many resamples of the cases the intervals are from.

    Raises:
        ValueError: There are not two.
    """
    if len(paired.slugs) != 2:
        raise ValueError(f"expected two submissions, found {len(paired.slugs)}")
    values, present = _by_label(paired, metric, region)
    labels = [label for label, n in zip(REGIONS[region], present.sum(axis=0), strict=True) if n]
    if not labels:
        return Differences(None, {})
    columns = [label - REGIONS[region].start for label in labels]
    values, present = values[:, columns], present[:, columns]
    there = present.any(axis=1)
    observed, drawn = values.sum(axis=0) / present.sum(axis=0), _resampled(values, present, draws)
    left_out = _left_out(values, present)
    remaining = np.count_nonzero(~np.isnan(left_out), axis=1)
    mean_left_out = np.nansum(left_out, axis=1) / np.maximum(remaining, 1)
    limit = max(1.0, METRICS[metric].missed)
    return Differences(
        mean=_difference(float(observed.mean()), drawn.mean(axis=1), mean_left_out[there], limit),
        labels={
            label: _difference(float(observed[i]), drawn[:, i], left_out[present[:, i] > 0, i], limit)
            for i, label in enumerate(labels)
        },
    )


def corrected_p_values(paired: PairedScores, metric: str, region: str = "all") -> NDArray[np.float64] | None:
    """Return what `pairwise_tests` gives as `p_holm`, of all pairs at once.

    Returns:
        `(S, S)`, two-sided, corrected by Holm's method for the number of pairs, 1 on the diagonal; `None` under ten
        cases.
    """
    n_cases = np.count_nonzero(~np.isnan(case_means(paired, metric, region)[:, :1]))
    if n_cases < SMALLEST_N:
        return None
    one_sided = p_values_of_all(paired, metric, region)
    pairs = np.triu_indices(len(one_sided), 1)
    two_sided = np.minimum(2 * np.minimum(one_sided[pairs], one_sided.T[pairs]), 1.0)
    corrected = np.ones_like(one_sided)
    corrected[pairs] = holm(two_sided.tolist())
    corrected.T[pairs] = corrected[pairs]
    return corrected


def _by_label(paired: PairedScores, metric: str, region: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences `(n, labels)`, 0 where a case lacks a label, and where it has it, 1 or 0."""
    labels, reference = REGIONS[region], paired.reference
    rows = np.isin(reference.label, list(labels))
    case, place = reference.case[rows], reference.label[rows] - labels.start
    of_two = paired.measures[metric][rows]
    values = np.zeros((paired.n_cases, len(labels)))
    values[case, place] = of_two[:, 0] - of_two[:, 1]
    present = np.zeros_like(values)
    present[case, place] = 1.0
    return values, present


def _resampled(values: NDArray[np.float64], present: NDArray[np.float64], draws: int) -> NDArray[np.float64]:
    """Return the mean of each label under resampled cases, `(draws, labels)`; no case ever loses all its weight."""
    weights = case_weights(len(values), draws)
    drawn: NDArray[np.float64] = (weights @ values) / (weights @ present)
    return drawn


def _left_out(values: NDArray[np.float64], present: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each label without one case each, `(n, labels)`; NaN where no case remains that has it."""
    sums, n = values.sum(axis=0) - values, present.sum(axis=0) - present
    means: NDArray[np.float64] = np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)
    return means


def _difference(value: float, drawn: NDArray[np.float64], left_out: NDArray[np.float64], limit: float) -> Difference:
    """Return a difference that is at most `limit`, from as many cases as can be left out."""
    n = len(left_out)
    if n < SMALLEST_N:
        return Difference(n, value)
    (low,), (high,) = score_intervals(np.array([value]), drawn[:, None], left_out[:, None], (-limit, limit))
    return Difference(n, value, float(low), float(high))
