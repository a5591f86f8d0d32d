"""The official scheme: average first, then rank.

The score is Mean of Vertebrae: for each label the mean over the cases that have it in the reference or in the
prediction, then the plain mean over labels. n of a label can differ between submissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.jackknife import ratio_left_out
from ctspine_bench.rankings.paired import METRICS, REGIONS, by_label, label_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

TIE_BREAKERS: Final = {"dsc": "hd95_mm", "hd95_mm": "dsc"}
"""Metric → the one that decides between equal means; other metrics leave ties."""


def scores(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return Mean of Vertebrae of each submission, `(S,)`; NaN if no case has a vertebra of the region."""
    return _mean_over_labels(label_means(paired, metric)[[label - 1 for label in REGIONS[region]]])


def left_out(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return Mean of Vertebrae without one case each, `(n, S)`; a label goes with the only case that has it."""
    values, present = by_label(paired, metric, region)
    return _mean_over_labels(ratio_left_out(values, present.astype(np.float64)))


def weights(paired: PairedScores, region: str) -> NDArray[np.float64]:
    """Return the share of Mean of Vertebrae that each case carries by its reference, `(n,)`."""
    vertebrae = paired.vertebrae
    counted = vertebrae.in_reference & np.isin(vertebrae.label, list(REGIONS[region]))
    case, label = vertebrae.case[counted], vertebrae.label[counted]
    n_of_label = np.bincount(label)
    return np.bincount(case, 1 / n_of_label[label], paired.n_cases) / max(int((n_of_label > 0).sum()), 1)


def tie_breaks(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return what decides between equal scores, `(S,)`, the larger the better: the other one of DSC and HD95."""
    other = TIE_BREAKERS.get(metric)
    if other is None:
        return np.zeros(len(paired.slugs))
    found = scores(paired, other, region)
    return found if METRICS[other].larger_is_better else -found


def _mean_over_labels(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over labels, the second to last axis, of those that there are; NaN without any."""
    n = np.count_nonzero(~np.isnan(means), axis=-2)
    found: NDArray[np.float64] = np.where(n > 0, np.nansum(means, axis=-2) / np.maximum(n, 1), np.nan)
    return found
