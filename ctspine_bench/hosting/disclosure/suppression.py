"""When a number about a private test set may be told: the rules of statistical disclosure control used here.

The terms are those of Hundepool et al., Statistical Disclosure Control (2012): threshold rule, p%-rule, complementary
suppression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from numpy.typing import NDArray

THRESHOLD: Final = 5
"""No published number is about fewer cases than this, and no two are about the same cases but for fewer."""

FEW: Final = f"<{THRESHOLD}"
"""What is published in place of a count of cases, or of events in cases, below the threshold."""

DOMINANCE: Final = 0.1
"""A mean is not published if four others, who know what they contribute, learn the largest to within this share."""

SQUARED_DOMINANCE: Final = (1 + DOMINANCE) ** 2 - 1
"""Likewise for squares: who knows the largest to within this share knows its root to within that of `DOMINANCE`."""

_NOTHING: Final = 1e-18
"""What is smaller, also as a square, is rounding."""


@dataclass(frozen=True)
class Measure:
    """What is averaged.

    Attributes:
        column: Where it stands in a table.
        digits: How many digits behind the point are published.
        known: What a participant knows beforehand that a case gets which they leave out.
    """

    column: str
    digits: int
    known: float = 0.0


def tells_no_case(rows: pd.DataFrame, *measures: Measure) -> bool:
    """Return whether the weighted means of some rows may be published.

    Args:
        rows: `case_id`, `weight` and the columns of the measures, without empty cells.
        measures: What is published of them.
    """
    case, cases = pd.factorize(rows["case_id"])
    weights = rows["weight"].to_numpy(float)
    return len(cases) >= THRESHOLD and not any(
        _is_dominated(case, rows[measure.column].to_numpy(float), weights, measure) for measure in measures
    )


def _is_dominated(
    case: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64], measure: Measure
) -> bool:
    """Whether a mean gives few cases away: the p%-rule for a coalition of four, with the rounding to protect it.

    Contributions are what cases have beyond what is known without any reference. That others are perfect is not
    known: it takes the references to make them so. That others are nothing is up to the participant: cases without a
    contribution do not count towards the threshold, or a mean would be the sum over the one to four others.
    """
    rounding = 0.5 * 10**-measure.digits * weights.sum()
    contributions = np.sort(np.bincount(case, np.abs(values - measure.known) * weights))[::-1]
    return bool(contributions[THRESHOLD - 1 :].sum() + rounding < DOMINANCE * contributions[0])


def made_by_few(contributions: NDArray[np.float64], share: float = DOMINANCE) -> NDArray[np.bool_]:
    """Return whether sums over cases give the largest contribution away to four others who know what they contribute.

    Args:
        contributions: `(cases, …)`, not negative; where they are nothing but rounding, there is nothing to learn.
        share: To within what share of it.
    """
    ordered = np.sort(contributions, axis=0)[::-1]
    found: NDArray[np.bool_] = ordered[THRESHOLD - 1 :].sum(axis=0) < share * ordered[0]
    found &= ordered[0] > _NOTHING
    return found


def hidden_cells(
    cells: Mapping[str, pd.DataFrame], unsafe: Collection[str], may_be_told: Callable[[pd.DataFrame], bool]
) -> frozenset[str]:
    """Return which cells of a group with a published total are not published.

    The total less the published cells is the sum of the hidden ones, which therefore have to be two at least, and
    together fit to be published.

    Args:
        cells: Name → rows; cells without rows hide nothing.
        unsafe: The cells that must not be published by themselves.
        may_be_told: Whether the sum over some rows may be known.
    """
    hidden = [name for name in cells if name in unsafe]
    others = [name for name, rows in cells.items() if name not in unsafe and len(rows)]
    others.sort(key=lambda name: cells[name]["case_id"].nunique())
    while hidden and others and (len(hidden) < 2 or not may_be_told(pd.concat([cells[name] for name in hidden]))):
        hidden.append(others.pop(0))
    return frozenset(hidden)


def few(n_cases: int) -> bool:
    """Return whether something concerns some cases, but fewer than the threshold."""
    return 0 < n_cases < THRESHOLD


def count(n: int, n_cases: int, *, hidden: bool = False) -> int | str | None:
    """Return a count as it is published: `"<5"` for something in one to four cases, `None` if it protects another."""
    if few(n_cases):
        return FEW
    return None if hidden else n


def in_fives(amount: float) -> int:
    """Return the nearest multiple of five.

    What is exact, less the same with another prediction for one case, tells exactly what there is in that case.
    """
    return THRESHOLD * round(amount / THRESHOLD)


def share_of_cases(n: int, table: pd.DataFrame) -> int | str | None:
    """Return a number of cases out of all of a case table as it is published; `None` if the others are few."""
    return count(n, n, hidden=few(table["case_id"].nunique() - n))


def rounded(value: float | None, digits: int) -> float | None:
    """Return a number with that many digits behind the point."""
    return None if value is None else round(value, digits)
