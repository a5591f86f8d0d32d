"""How far a rank could reasonably be from what was observed.

A submission is surely better than another when the simultaneous 95 % interval of the difference between their scores
excludes 0. The intervals hold for all pairs at once by the max-|t| method (Mogstad et al., 2023, use it for ranks,
doi:10.1093/restud/rdad006): the 95th percentile of the largest standardised deviation over all pairs takes the place
that 1.96 has for a single pair, so that nothing more has to be corrected for how many submissions there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.bootstrap import SMALLEST_N, case_weights
from ctspine_bench.rankings.mean_then_rank import official_scores, pair, ranks, weighted_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95

# Differences between scores of 0–1 that are smaller are rounding.
_ROUNDING: Final = 1e-12


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


def rank_intervals(tables: Mapping[str, pd.DataFrame]) -> dict[str, RankInterval]:
    """Rank submissions by the official scheme, with intervals from resampling cases.

    Under ten cases nothing is sure, and every interval goes from 1 to the number of submissions.

    Args:
        tables: Slug → case table (`tables.COLUMNS`) of one test set, of those that are to be ranked: complete ones.

    Raises:
        SubmissionError: E_RECORD, the tables are not about the same cases and reference vertebrae.
    """
    if not tables:
        return {}
    paired = pair(tables)
    scores = official_scores(tables)
    n_cases, n_ranked = len(paired.in_reference), len(tables)
    sure = np.zeros((n_ranked, n_ranked), dtype=bool)
    if n_cases >= SMALLEST_N:
        sure = surely_better(scores[:, 0], weighted_scores(paired, case_weights(n_cases)))
    numbers = zip(ranks(scores), 1 + sure.sum(axis=0), n_ranked - sure.sum(axis=1), strict=True)
    return {
        slug: RankInterval(int(rank), int(low), int(high), n_ranked)
        for slug, (rank, low, high) in zip(tables, numbers, strict=True)
    }


def surely_better(scores: NDArray[np.float64], resampled: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Compare all pairs of submissions by simultaneous intervals of their differences.

    Args:
        scores: `(submissions,)`, as observed; the larger the better.
        resampled: `(draws, submissions)`, the same under resampled cases, paired.

    Returns:
        `(submissions, submissions)`: whether the one of the row is surely better than the one of the column.
    """
    n = scores.size
    differences = scores[:, None] - scores
    errors = np.zeros((n, n))
    largest = np.zeros(len(resampled))
    # One submission against those after it at a time: all pairs of all draws at once would not fit in memory.
    for i in range(n - 1):
        drawn = resampled[:, i, None] - resampled[:, i + 1 :]
        error = drawn.std(axis=0)
        # A pair that differs by the same amount in every draw has no error and no say in the largest deviation.
        deviations = np.abs(drawn - differences[i, i + 1 :]) / np.where(error > _ROUNDING, error, np.inf)
        np.maximum(largest, deviations.max(axis=1), out=largest)
        errors[i, i + 1 :] = errors[i + 1 :, i] = error
    margin: NDArray[np.float64] = np.quantile(largest, CONFIDENCE) * errors
    sure: NDArray[np.bool_] = differences > margin + _ROUNDING
    return sure
