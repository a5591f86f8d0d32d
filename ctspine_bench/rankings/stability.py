"""How much a ranking depends on which cases happened to be in the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Who differs by less from the next one in the order ties with it: equal predictions must not part ways by rounding.
_TIE: Final = 1e-10


def rank_ranges(scores: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank submissions in every draw.

    Args:
        scores: `(draws, S)`, the larger the better.

    Returns:
        The first and the last of the ranks that a submission shares with those that tie with it, `(draws, S)` each,
        from 1; they are the same without a tie.
    """
    draws, n = scores.shape
    order = np.argsort(-scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    starts = np.ones((draws, n), dtype=bool)
    starts[:, 1:] = ordered[:, :-1] - ordered[:, 1:] > _TIE
    places = np.arange(n)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)
    ends = np.ones((draws, n), dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    last = np.minimum.accumulate(np.where(ends, places, n)[:, ::-1], axis=1)[:, ::-1]
    low, high = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(low, order, first + 1, axis=1)
    np.put_along_axis(high, order, last + 1, axis=1)
    return low, high


def rank_frequencies(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return in which share of draws each submission has each rank, `(S, S)`; who ties shares the ranks evenly.

    Rows and columns add up to 1. The first column is P(rank 1).

    Args:
        low: `(draws, S)`, from `rank_ranges`.
        high: Likewise.
    """
    draws, n = low.shape
    share = 1.0 / (high - low + 1)
    who = np.broadcast_to(np.arange(n), low.shape)
    steps = np.zeros((n, n + 1))
    np.add.at(steps, (who, low - 1), share)
    np.add.at(steps, (who, high), -share)
    frequencies: NDArray[np.float64] = np.cumsum(steps, axis=1)[:, :n] / draws
    return np.clip(frequencies, 0.0, 1.0)


def kendall_tau(ranks: NDArray[np.int64], resampled: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return Kendall's τ_b of a ranking with others (Kendall, 1945, doi:10.1093/biomet/33.3.239).

    Args:
        ranks: `(S,)`; those that tie have the same.
        resampled: `(draws, S)`.

    Returns:
        `(draws,)`, −1 to 1; NaN where either ranking is one tie.
    """
    order = np.argsort(ranks, kind="stable")
    fixed, drawn = ranks[order], np.asarray(resampled[:, order], dtype=np.int16)
    draws, n = drawn.shape
    balance = np.zeros(draws, np.int64)
    untied = np.zeros(draws, np.int64)
    for i in range(n - 1):
        later = drawn[:, i + 1 :]
        above, below = later > drawn[:, i, None], later < drawn[:, i, None]
        n_below = np.count_nonzero(below, axis=1)
        untied += np.count_nonzero(above, axis=1) + n_below
        apart = slice(int(np.searchsorted(fixed, fixed[i], side="right")) - i - 1, None)
        balance += np.count_nonzero(above[:, apart], axis=1) - np.count_nonzero(below[:, apart], axis=1)
    n_apart = sum(int((fixed[i + 1 :] > fixed[i]).sum()) for i in range(n))
    scale = np.sqrt(untied.astype(np.float64) * n_apart)
    tau: NDArray[np.float64] = np.divide(balance, scale, out=np.full(draws, np.nan), where=scale > 0)
    return tau
