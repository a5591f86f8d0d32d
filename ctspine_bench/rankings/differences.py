"""By how much two submissions differ in Mean of Vertebrae and on each label, and how sure that is among many pairs.

Both are scored under the same case weights (paired), so that what makes a case hard for both cancels in the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.bootstrap import DRAWS, SMALLEST_N, case_weights
from ctspine_bench.rankings.paired import REGIONS, case_means
from ctspine_bench.rankings.pairwise import holm, p_values_of_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

_ENDS: Final = (2.5, 97.5)


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
    n_of_label = present.sum(axis=0).astype(int)
    observed = values.sum(axis=0) / n_of_label
    drawn = _resampled(values, present, draws)
    n_cases = int(present.any(axis=1).sum())
    return Differences(
        mean=_difference(n_cases, float(observed.mean()), drawn.mean(axis=1)),
        labels={
            label: _difference(int(n_of_label[place]), float(observed[place]), drawn[:, place])
            for place, label in enumerate(labels)
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


def _difference(n: int, value: float, drawn: NDArray[np.float64]) -> Difference:
    if n < SMALLEST_N:
        return Difference(n, value)
    low, high = np.percentile(drawn, _ENDS)
    return Difference(n, value, float(low), float(high))
