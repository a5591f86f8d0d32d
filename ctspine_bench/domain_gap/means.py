"""The mean over all vertebrae of a test set, or over some of them, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.bootstrap import DRAWS, SEED, SMALLEST_N, case_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    (found,) = estimates(paired, slug, [np.ones(len(paired.reference.case), np.bool_)], draws)
    return found


def estimates(
    paired: PairedScores, slug: str, parts: Sequence[NDArray[np.bool_]], draws: int = DRAWS
) -> tuple[Estimate, ...]:
    """Return the mean DSC of a submission over several choices of vertebrae, `(R,)` each.

    All share one matrix of case weights: those of some of the cases, made to add up to 1 again, are again
    Dirichlet(1, …, 1).
    """
    reference, dsc = paired.reference, paired.of(slug).measures["dsc"][:, 0]
    chosen = np.array(parts, np.float64).reshape(-1, len(dsc))
    sums, sizes = (
        np.stack([np.bincount(reference.case, values, paired.n_cases) for values in rows], axis=1)
        for rows in (chosen * dsc, chosen)
    )
    n_cases = np.count_nonzero(sizes, axis=0).tolist()
    n_vertebrae = sizes.sum(axis=0).astype(int).tolist()
    wide_enough = [part for part, n in enumerate(n_cases) if n >= SMALLEST_N]
    ends: dict[int, tuple[float, float]] = {}
    if wide_enough:
        weights = drawn_weights(paired.n_cases, draws)
        drawn = (weights @ sums[:, wide_enough]) / (weights @ sizes[:, wide_enough])
        ends = {part: interval(values) for part, values in zip(wide_enough, drawn.T, strict=True)}
    return tuple(
        Estimate(n_cases[part], n, float(total) / n if n else None, *ends.get(part, ()))
        for part, (n, total) in enumerate(zip(n_vertebrae, sums.sum(axis=0), strict=True))
    )


@lru_cache(maxsize=4)
def drawn_weights(n_cases: int, draws: int, seed: int = SEED) -> NDArray[np.float64]:
    """Return case weights, `(draws, n_cases)`, read-only and kept: making them takes longer than using them."""
    weights = case_weights(n_cases, draws, seed)
    weights.flags.writeable = False
    return weights


def interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled values, `(draws,)`."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
