"""By how much two submissions differ in Mean of Vertebrae and on each label, and how sure that is among many pairs.

Cases are left out of both at once (paired), so that what makes a case hard for both cancels in the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.jackknife import SMALLEST_N, moderated_over_labels, ratio_left_out, students_t, uncertainty
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.paired import METRICS, REGIONS, by_label, cases_of_region, n_reference_cases
from ctspine_bench.rankings.pairwise import holm, p_values_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Difference:
    """A difference of two means, the first less the second, in the unit of the metric.

    Attributes:
        n: In how many cases the label counts, for the one of the two for which it counts in fewer; how many references
            have a vertebra of the region where it is of a mean.
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
    there = cases_of_region(paired, region)
    mean = difference_of_means(
        n_reference_cases(paired, region),
        mean_then_rank.scores(paired, metric, region),
        mean_then_rank.left_out(paired, metric, region)[there],
        weights[there],
        metric,
    )
    return Differences(mean, {label: each for label, each in _of_labels(paired, metric) if label in REGIONS[region]})


def difference_of_means(
    n: int, means: NDArray[np.float64], left_out: NDArray[np.float64], weights: NDArray[np.float64], metric: str
) -> Difference:
    """Return the difference of two means over the same cases.

    Args:
        n: How many references have a vertebra that counts.
        means: `(2,)`.
        left_out: `(cases, 2)`, without one case each.
        weights: `(cases,)`, the share that each case carries.
        metric: One of `METRICS`.
    """
    value = means[:1] - means[1:]
    if n < SMALLEST_N:
        return Difference(n, float(value[0]))
    _, limit = METRICS[metric].bounds
    uncertain = uncertainty(value, left_out[:, :1] - left_out[:, 1:], weights)
    low, high = uncertain.of_differences().intervals(value, (-limit, limit))[:, 0].tolist()
    return Difference(n, float(value[0]), low, high)


def differences_of_labels(
    n: NDArray[np.int64],
    means: NDArray[np.float64],
    left_out: NDArray[np.float64],
    n_either: NDArray[np.int64],
    metric: str,
) -> list[Difference]:
    """Return the differences of L labels; intervals are moderated over all of them.

    Args:
        n: `(L, 2)`, over how many cases each mean is.
        means: `(L, 2)`.
        left_out: `(cases, L, 2)`, without one case each.
        n_either: `(L,)`, in how many cases a label counts for either of the two.
        metric: One of `METRICS`.
    """
    values, fewest = means[:, 0] - means[:, 1], n.min(axis=1)
    deviations = np.nan_to_num(left_out[..., 0] - left_out[..., 1] - values)
    variances, df = moderated_over_labels(
        (deviations**2).sum(axis=0) * (n_either - 1) / n_either, 2 / (1 / n).sum(axis=1)
    )
    half, (_, limit) = students_t(df) * np.sqrt(variances), METRICS[metric].bounds
    ends = np.clip([values - half, values + half], -limit, limit)
    return [
        Difference(int(n_label), float(value), *(ends[:, place].tolist() if n_label >= SMALLEST_N else ()))
        for place, (n_label, value) in enumerate(zip(fewest, values, strict=True))
    ]


def corrected_p_values(paired: PairedScores, metric: str, region: str = "all") -> NDArray[np.float64] | None:
    """Return what `pairwise_tests` gives as `p_holm`, of all pairs at once.

    Returns:
        `(S, S)`, two-sided, corrected by Holm's method for the number of pairs, 1 on the diagonal; `None` under ten
        cases.
    """
    if n_reference_cases(paired, region) < SMALLEST_N:
        return None
    one_sided = p_values_of_all(paired, metric, region)
    pairs = np.triu_indices(len(one_sided), 1)
    two_sided = np.minimum(2 * np.minimum(one_sided[pairs], one_sided.T[pairs]), 1.0)
    corrected = np.ones_like(one_sided)
    corrected[pairs] = holm(two_sided.tolist())
    corrected.T[pairs] = corrected[pairs]
    return corrected


def _of_labels(paired: PairedScores, metric: str) -> Iterator[tuple[int, Difference]]:
    """Yield the labels that both have with the difference of their means."""
    values, present = by_label(paired, metric, "all")
    n = present.sum(axis=0)
    places = np.flatnonzero(n.all(axis=1))
    values, present, n = values[:, places], present[:, places], n[places]
    left_out = ratio_left_out(values, present.astype(np.float64))
    n_either = present.any(axis=2).sum(axis=0)
    found = differences_of_labels(n, values.sum(axis=0) / n, left_out, n_either, metric)
    yield from zip((places + 1).tolist(), found, strict=True)
