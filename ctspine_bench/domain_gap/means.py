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

    from ctspine_bench.rankings.paired import PairedScores, ReferenceVertebrae


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


@dataclass(frozen=True, eq=False)
class Choices:
    """Several choices out of the R vertebrae of n cases, and what of their intervals no submission changes.

    Attributes:
        rows: `(P, R)` 1 for the vertebrae of each choice, 0 for the others.
        n_in_case: `(n, P)` how many of them each case has.
        with_interval: The choices that have vertebrae in enough cases.
        drawn: `(draws, len(with_interval))` the weighted number of vertebrae in each draw.
    """

    rows: NDArray[np.float64]
    n_in_case: NDArray[np.float64]
    with_interval: list[int]
    drawn: NDArray[np.float64]


def estimate(paired: PairedScores, slug: str, draws: int = DRAWS) -> Estimate:
    """Return the mean DSC over all vertebrae of a submission."""
    (found,) = estimates(paired, slug, _everything(paired.reference, draws))
    return found


def estimates(paired: PairedScores, slug: str, choices: Choices) -> tuple[Estimate, ...]:
    """Return the mean DSC of a submission over several choices of vertebrae.

    All share one matrix of case weights: those of some of the cases, made to add up to 1 again, are again
    Dirichlet(1, …, 1).
    """
    dsc = paired.of(slug).measures["dsc"][:, 0]
    sums = _by_case(paired.reference, choices.rows * dsc)
    n_cases = np.count_nonzero(choices.n_in_case, axis=0).tolist()
    n_vertebrae = choices.n_in_case.sum(axis=0).astype(int).tolist()
    ends: dict[int, tuple[float, float]] = {}
    if choices.with_interval:
        weights = drawn_weights(paired.n_cases, len(choices.drawn))
        drawn = (weights @ sums[:, choices.with_interval]) / choices.drawn
        ends = {part: interval(values) for part, values in zip(choices.with_interval, drawn.T, strict=True)}
    return tuple(
        Estimate(n_cases[part], n, float(total) / n if n else None, *ends.get(part, ()))
        for part, (n, total) in enumerate(zip(n_vertebrae, sums.sum(axis=0), strict=True))
    )


def choices_of(reference: ReferenceVertebrae, parts: Sequence[NDArray[np.bool_]], draws: int = DRAWS) -> Choices:
    """Return choices of vertebrae, from `(R,)` each."""
    rows = np.array(parts, np.float64).reshape(len(parts), len(reference.case))
    n_in_case = _by_case(reference, rows)
    with_interval = np.flatnonzero(np.count_nonzero(n_in_case, axis=0) >= SMALLEST_N).tolist()
    drawn = np.empty((draws, 0))
    if with_interval:
        drawn = drawn_weights(len(reference.case_ids), draws) @ n_in_case[:, with_interval]
    return Choices(rows, n_in_case, with_interval, drawn)


@lru_cache(maxsize=4)
def drawn_weights(n_cases: int, draws: int, seed: int = SEED) -> NDArray[np.float64]:
    """Return case weights, `(draws, n_cases)`, read-only and kept: making them takes longer than using them."""
    weights = case_weights(n_cases, draws, seed)
    weights.flags.writeable = False
    return weights


@lru_cache(maxsize=4)
def _everything(reference: ReferenceVertebrae, draws: int) -> Choices:
    return choices_of(reference, [np.ones(len(reference.case), np.bool_)], draws)


def _by_case(reference: ReferenceVertebrae, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums over the vertebrae of each case, `(n, P)`, from `(P, R)`."""
    n_cases = len(reference.case_ids)
    sums = [np.bincount(reference.case, values, n_cases) for values in rows]
    return np.array(sums, np.float64).reshape(len(rows), n_cases).T


def interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile interval of resampled values, `(draws,)`."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
