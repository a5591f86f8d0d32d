"""Rank by how many others a submission beats significantly, as the Medical Segmentation Decathlon did.

(Antonelli et al., 2022, doi:10.1038/s41467-022-30695-9.) A task is a metric in a region of the spine, within one test
set. In each task all pairs are tested, one-sided, by the Wilcoxon signed-rank test on per-case means, corrected by
Holm's method. A submission's rank in the task follows from the number of others that it beats at 5 %, and its score is
the mean of its ranks over the tasks. The score is made of tests, and is not tested again: it has no interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import REGIONS as PARTS
from ctspine_bench.jackknife import SMALLEST_N
from ctspine_bench.rankings.paired import n_reference_cases
from ctspine_bench.rankings.pairwise import LEVEL, holm, p_values_of_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores

TASK_METRICS: Final = ("dsc", "hd95_mm")


def tasks(paired: PairedScores, metric: str, region: str) -> tuple[tuple[str, str], ...]:
    """Return the (metric, region) that are tested: those of the region, or of all three; DSC beside HD95.

    A region is a task if ten cases have a vertebra of it in their reference: fewer give no test.
    """
    metrics = dict.fromkeys((metric, *TASK_METRICS)) if metric == TASK_METRICS[0] else (metric,)
    regions = tuple(PARTS) if region == "all" else (region,)
    tested = [name for name in regions if n_reference_cases(paired, name) >= SMALLEST_N]
    return tuple((metric, name) for metric in metrics for name in tested)


def scores(paired: PairedScores, metric: str, region: str) -> NDArray[np.float64]:
    """Return the mean rank over the tasks of each submission, `(S,)`; NaN if there is no task."""
    from scipy.stats import rankdata  # slow to import

    ranks = [rankdata(-n_beaten(paired, *task)) for task in tasks(paired, metric, region)]
    return np.mean(ranks, axis=0) if ranks else np.full(len(paired.slugs), np.nan)


def n_beaten(paired: PairedScores, metric: str, region: str) -> NDArray[np.int64]:
    """Return how many others each submission beats significantly in a task, `(S,)`."""
    p = p_values_of_all(paired, metric, region)
    others = ~np.eye(len(p), dtype=bool)
    beats = np.zeros(p.shape, dtype=bool)
    beats[others] = np.array(holm(p[others].tolist())) < LEVEL
    counts: NDArray[np.int64] = beats.sum(axis=1)
    return counts
