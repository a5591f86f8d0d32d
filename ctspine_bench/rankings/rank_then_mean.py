"""Rank within every case, then average the ranks over cases.

A case counts the same however many vertebrae it has, and how far apart two submissions are in it does not matter. A
missed or spurious vertebra enters the mean of its case with the worst value that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.jackknife import ratio_left_out
from ctspine_bench.rankings.paired import METRICS, cases_of_region, comparable_case_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


def case_ranks(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return the rank of each submission in each case, `(n, S)`; ties get the mean rank, a case without any is NaN."""
    from scipy.stats import rankdata  # slow to import

    means = comparable_case_means(paired, metric, region)
    # What differs by rounding alone is a tie.
    oriented = np.round(-means if METRICS[metric].larger_is_better else means, 12)
    ranks: NDArray[np.float64] = rankdata(oriented, axis=1, nan_policy="propagate")
    return ranks


def scores(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return the mean rank of each submission over the cases with a vertebra of the region, `(S,)`."""
    ranks = case_ranks(paired, metric, region)
    there = ranks[~np.isnan(ranks).any(axis=1)]
    return there.mean(axis=0) if len(there) else np.full(len(paired.slugs), np.nan)


def left_out(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return the mean rank without one case each, `(n, S)`; the ranks within a case do not depend on the others."""
    ranks = case_ranks(paired, metric, region)
    return ratio_left_out(np.nan_to_num(ranks), (~np.isnan(ranks)).astype(np.float64))


def weights(paired: PairedScores, region: str) -> NDArray[np.float64]:
    """Return the share of the mean rank that each case carries, `(n,)`: those with a vertebra of the region alike."""
    there = cases_of_region(paired, region)
    return there / max(int(there.sum()), 1)
