"""What charts of several submissions have in common: colours and symbols, means with intervals, places for names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.charts.style import OKABE_ITO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SERIES: Final = (
    (OKABE_ITO["blue"], "circle", "●"),
    (OKABE_ITO["vermillion"], "square", "■"),
    (OKABE_ITO["green"], "diamond", "◆"),
    (OKABE_ITO["purple"], "triangle-up", "▲"),
    (OKABE_ITO["orange"], "triangle-down", "▼"),
    (OKABE_ITO["sky"], "cross", "✚"),
)
"""Colour and symbol of each submission, in the order of the choice; the symbol as a character, too."""

MOST: Final = len(SERIES)
"""How many submissions can be told apart."""


@dataclass(frozen=True)
class Mark:
    """A mean DSC, its 95 % interval if it has one, and what hovering tells."""

    dsc: float
    low: float | None = None
    high: float | None = None
    text: str = ""


def error_bars(marks: Sequence[Mark]) -> dict[str, Any]:
    """Return the error bars of marks, for plotly; those without an interval have none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if mark.high is None else mark.high - mark.dsc for mark in marks],
        "arrayminus": [0.0 if mark.low is None else mark.dsc - mark.low for mark in marks],
        "thickness": 1.5,
        "width": 0,
    }


def score_range(marks: Sequence[Mark]) -> tuple[float, float]:
    """Return the ends of an axis that shows all marks, and not less than a twentieth of the scale."""
    ends = [end for mark in marks for end in (mark.dsc, mark.low, mark.high) if end is not None] or [0.0, 1.0]
    low, high = min(ends), max(ends)
    margin = max(0.06 * (high - low), (0.05 - (high - low)) / 2, 0.005)
    return low - margin, high + margin


def spread(wanted: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Return places for labels: near where they are wanted, `gap` apart at least, within limits if they fit.

    Least squares under these conditions: an isotonic regression of what is wanted less the gaps below.
    """
    order = np.argsort(wanted, kind="stable")
    below = gap * np.arange(len(wanted))
    from scipy.optimize import isotonic_regression  # slow to import

    found = isotonic_regression(wanted[order] - below).x if len(wanted) else np.empty(0)
    placed = np.empty(len(wanted))
    placed[order] = np.clip(found, low, max(low, high - gap * (len(wanted) - 1))) + below
    return placed
