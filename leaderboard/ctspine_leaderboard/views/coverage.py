"""How far 95 % intervals can be trusted, as simulations have measured it: said wherever intervals are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.charts.text import counted
from ctspine_bench.jackknife import CONFIDENCE
from ctspine_bench.rankings.coverage import measured_coverage

if TYPE_CHECKING:
    from ctspine_bench.rankings.coverage import Averaged


def coverage_note(n_cases: int, of: Averaged, what: str) -> str:
    """Say how often the intervals of something cover it with so many cases; empty where they do as they should.

    Args:
        n_cases: How many cases there are.
        of: What intervals are of.
        what: The same in words.
    """
    share = measured_coverage(n_cases, of)
    if share is None:
        return ""
    return (
        f"With {counted(n_cases)}, 95 % intervals of {what} are {misfit(share)}: in simulations they covered the truth "
        f"in {percent(share)}."
    )


def misfit(share: float) -> str:
    """Return what is wrong with intervals that cover in this share."""
    return "too narrow" if share < CONFIDENCE else "too wide"


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.0f}\u00a0%"
