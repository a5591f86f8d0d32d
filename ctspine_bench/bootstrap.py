"""Intervals by resampling cases: the Bayesian bootstrap (Rubin, 1981, doi:10.1214/aos/1176345338).

Every case always keeps some weight, so a label that only three cases have never vanishes from a resample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS: Final = 10_000
SEED: Final = 20210705
SMALLEST_N: Final = 10
"""No interval is given for fewer cases than this."""


def case_weights(n_cases: int, draws: int = DRAWS, seed: int = SEED) -> NDArray[np.float64]:
    """Return `(draws, n_cases)` Dirichlet(1, …, 1) weights; each row adds up to 1."""
    weights = np.random.default_rng(seed).standard_exponential((draws, n_cases))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def mean_interval(values: NDArray[np.float64], n: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of the mean over cases; `None` under `SMALLEST_N` cases."""
    if values.size < SMALLEST_N:
        return None
    weights = case_weights(values.size)
    low, high = np.percentile((weights @ values) / (weights @ n), [2.5, 97.5])
    return float(low), float(high)
