"""The mean over all vertebrae of a test set, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.bootstrap import DRAWS, SMALLEST_N, case_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import PairedScores


@dataclass(frozen=True)
class Estimate:
    """The mean DSC over the vertebrae of some cases.

    Attributes:
        n_cases: How many cases have one of the vertebrae.
        n_vertebrae: How many vertebrae enter.
        dsc: Their mean, missed 0; `None` without any.
        low: Lower end of its 95 % interval from resampling cases; `None` under ten cases.
        high: Upper end.
    """

    n_cases: int
    n_vertebrae: int
    dsc: float | None
    low: float | None = None
    high: float | None = None


def estimate(paired: PairedScores, slug: str, draws: int = DRAWS) -> Estimate:
    """Return the mean DSC over all vertebrae of a submission."""
    case, dsc = paired.reference.case, paired.of(slug).measures["dsc"][:, 0]
    cases, case = np.unique(case, return_inverse=True)
    if not dsc.size:
        return Estimate(0, 0, None)
    if len(cases) < SMALLEST_N:
        return Estimate(len(cases), dsc.size, float(dsc.mean()))
    weights = case_weights(len(cases), draws)
    sums, sizes = np.bincount(case, dsc), np.bincount(case).astype(np.float64)
    low, high = interval((weights @ sums) / (weights @ sizes))
    return Estimate(len(cases), dsc.size, float(dsc.mean()), low, high)


def interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled values, `(draws,)`."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
