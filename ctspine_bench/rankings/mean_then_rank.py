"""The official scheme: average first, then rank.

The score is Mean of Vertebrae: for each label the mean over the cases whose reference has it, then the plain mean over
labels. Under case weights, weighted means take the place of the plain ones over cases. All submissions are scored under
the same weights (paired), so that what makes a case hard for everybody cancels in their differences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import LABELS
from ctspine_bench.rankings.paired import METRICS, REGIONS, label_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

TIE_BREAKERS: Final = {"dsc": "hd95_mm", "hd95_mm": "dsc"}
"""Metric → the one that decides between equal means; other metrics leave ties."""

# Draws for which the means of all labels and submissions are held at a time: 200 submissions then need 10 MB.
_BLOCK: Final = 250


def scores(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return Mean of Vertebrae of each submission, `(S,)`; NaN if no reference has a vertebra of the region."""
    means = label_means(paired, metric)[[label - 1 for label in REGIONS[region]]]
    there = means[~np.isnan(means[:, 0])] if len(paired.slugs) else means[:0]
    return there.mean(axis=0) if len(there) else np.full(len(paired.slugs), np.nan)


def resampled(paired: PairedScores, metric: str, region: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Mean of Vertebrae under weighted cases.

    Args:
        paired: The scores.
        metric: One of `METRICS`.
        region: One of `REGIONS`; some reference has a vertebra of it.
        weights: `(draws, n)`, not negative. A label whose cases all have weight 0 is left out of the mean.

    Returns:
        `(draws, S)`.
    """
    values, present = _dense(paired, metric, region)
    n_labels, n_submissions = present.shape[1], len(paired.slugs)
    result = np.empty((len(weights), n_submissions))
    for start in range(0, len(weights), _BLOCK):
        block = weights[start : start + _BLOCK]
        in_all = block @ present
        sums = (block @ values).reshape(-1, n_labels, n_submissions)
        share = np.divide(1.0, in_all, out=np.zeros_like(in_all), where=in_all > 0)
        share /= np.maximum(np.count_nonzero(in_all, axis=1), 1)[:, None]
        result[start : start + _BLOCK] = np.einsum("dl,dls->ds", share, sums)
    return result


def tie_breaks(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return what decides between equal scores, `(S,)`, the larger the better: the other one of DSC and HD95."""
    other = TIE_BREAKERS.get(metric)
    if other is None:
        return np.zeros(len(paired.slugs))
    found = scores(paired, other, region)
    return found if METRICS[other].larger_is_better else -found


def _dense(paired: PairedScores, metric: str, region: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores `(n, labels · S)`, 0 where a case lacks a label, and where it has it `(n, labels)`."""
    reference = paired.reference
    labels = [label for label in REGIONS[region] if (reference.label == label).any()]
    column = np.full(len(LABELS) + 1, -1)
    column[labels] = range(len(labels))
    rows = column[reference.label] >= 0
    case, place = reference.case[rows], column[reference.label[rows]]
    values = np.zeros((paired.n_cases, len(labels), len(paired.slugs)))
    values[case, place] = paired.measures[metric][rows]
    present = np.zeros((paired.n_cases, len(labels)))
    present[case, place] = 1.0
    return values.reshape(paired.n_cases, -1), present
