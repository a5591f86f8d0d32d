"""Means of methods, averaged over their runs, and how far they could be off.

The mean of a method is the mean over its runs of the mean of each. What leaving one case out changes is averaged over
the runs in the same way, as the case goes from all runs at once: that runs agree on what is hard makes no case count
twice. How much runs differ is said by their standard deviation, not by the interval, which is about cases alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.aggregate import official_hd95_mm
from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.jackknife import ratio_left_out
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.paired import REGIONS, by_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

MEAN_OF_VERTEBRAE: Final = "mean_of_vertebrae"
PER_CASE: Final = "per_case"
OVER_VERTEBRAE: Final = "over_vertebrae"
SPINE: Final = "mean_of_spine"


@dataclass(frozen=True, eq=False)
class Average:
    """A mean of S runs over n cases, or of M methods.

    Attributes:
        means: `(S,)`; NaN where nothing enters.
        left_out: `(n, S)`, without one case each.
        weights: `(n, S)`, the share that each case carries.
        counts: `(S,)`, over how many cases the mean is.
    """

    means: NDArray[np.float64]
    left_out: NDArray[np.float64]
    weights: NDArray[np.float64]
    counts: NDArray[np.int64]

    def over_runs(self, of_method: NDArray[np.int64]) -> Average:
        """Return the average over the runs of each method, of those that have a mean; counts are the smallest.

        Args:
            of_method: `(S,)` to which method each run belongs, from 0, in order.
        """
        groups = [np.flatnonzero((of_method == method) & ~np.isnan(self.means)) for method in range(of_method[-1] + 1)]
        # A method without any mean keeps the NaN of one of its runs.
        columns = [
            group if group.size else np.flatnonzero(of_method == method)[:1] for method, group in enumerate(groups)
        ]
        means, left_out, weights = (
            np.stack([each[..., group].mean(axis=-1) for group in columns], axis=-1)
            for each in (self.means, self.left_out, self.weights)
        )
        return Average(means, left_out, weights, np.array([self.counts[group].min() for group in columns]))


def mean_of_vertebrae(paired: PairedScores, metric: str, region: str) -> Average:
    """Return Mean of Vertebrae, the official score."""
    weights = mean_then_rank.weights(paired, region)
    return Average(
        mean_then_rank.scores(paired, metric, region),
        mean_then_rank.left_out(paired, metric, region),
        np.tile(weights[:, None], len(paired.slugs)),
        np.full(len(paired.slugs), np.count_nonzero(weights)),
    )


def per_case(paired: PairedScores, metric: str, region: str) -> Average:
    """Return the mean over cases of the mean over each case's vertebrae."""
    sums, n = _of_each_case(paired, metric, region)
    return ratio(np.divide(sums, n, out=np.zeros_like(sums), where=n > 0), (n > 0).astype(np.float64))


def over_vertebrae(paired: PairedScores, metric: str, region: str) -> Average:
    """Return the mean over the vertebrae of all cases, in which frequent labels weigh more."""
    return ratio(*_of_each_case(paired, metric, region))


def of_labels(paired: PairedScores, metric: str, region: str) -> dict[str, Average]:
    """Return the mean of each label of the region that counts in a case."""
    values, present = by_label(paired, metric, region)
    return {
        vertebra_name(label): ratio(values[:, place], present[:, place].astype(np.float64))
        for place, label in enumerate(REGIONS[region])
        if present[:, place].any()
    }


def of_spine(tables: Sequence[pd.DataFrame], case_ids: Sequence[str], metric: str) -> Average:
    """Return the mean over cases of the spine as one mask, from the case table of each run."""
    values = np.full((len(case_ids), len(tables)), np.nan)
    for column, table in enumerate(tables):
        rows = table[table["row"] == "spine"]
        places = np.searchsorted(np.array(case_ids, dtype=object), rows["case_id"].to_numpy(object))
        scores = official_hd95_mm(rows) if metric == "hd95_mm" else rows[metric].to_numpy(np.float64)
        values[places, column] = scores
    return ratio(np.nan_to_num(values), (~np.isnan(values)).astype(np.float64))


def ratio(sums: NDArray[np.float64], n: NDArray[np.float64]) -> Average:
    """Return Σ sums / Σ n over cases, `(n, S)` each."""
    total = n.sum(axis=0)
    shares = n / np.maximum(total, 1)
    values = np.where(total > 0, sums.sum(axis=0) / np.maximum(total, 1), np.nan)
    return Average(values, ratio_left_out(sums, n), shares, np.count_nonzero(n, axis=0))


def _of_each_case(paired: PairedScores, metric: str, region: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum over the vertebrae of each case and how many they are, `(n, S)` each."""
    values, present = by_label(paired, metric, region)
    return values.sum(axis=1), present.sum(axis=1).astype(np.float64)
