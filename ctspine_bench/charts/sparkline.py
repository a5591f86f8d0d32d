"""One value for each of C1–L6 as a small curve: an SVG drawing for a cell of a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ctspine_bench.anatomy import N_LABELS, REGIONS
from ctspine_bench.charts.style import OKABE_ITO

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 130
"""In pixels."""
HEIGHT: Final = 26
"""In pixels."""

# The line is as wide as that, and a dot has this radius: nothing of them may be cut off at the edge.
_LINE: Final = 1.5
_DOT: Final = 1.6
_STEP: Final = WIDTH / N_LABELS
_SHADE: Final = "#808080"
_SHADE_OPACITY: Final = 0.16


def sparkline(values: Sequence[float | None], low: float = 0.0, high: float = 1.0, label: str = "C1 to L6") -> str:
    """Return a curve as an SVG element, `WIDTH` by `HEIGHT` pixels; cervical and lumbar vertebrae on a faint ground.

    Its colours do on white and on dark pages, and in a picture that knows nothing of the page around it.

    Args:
        values: One for each of C1–L6; the curve has a gap where one is `None`.
        low: The value at the lower edge; of a metric of which less is better, the larger one. Curves that are to be
            compared need the same scale. What lies beyond is drawn at the edge.
        high: The value at the upper edge.
        label: What it shows, for those who do not see it.

    Raises:
        ValueError: There are not 25 values, or the two edges are the same.
    """
    if len(values) != N_LABELS:
        raise ValueError(f"expected {N_LABELS} values, found {len(values)}")
    if low == high:
        raise ValueError(f"expected two edges that differ, found {low} twice")
    shades = "".join(
        f'<rect x="{_number((labels.start - 1) * _STEP)}" width="{_number(len(labels) * _STEP)}" height="{HEIGHT}"/>'
        for region, labels in REGIONS.items()
        if region != "thoracic"
    )
    curve = "".join(_drawn(run) for run in _runs(values, low, high))
    colour = OKABE_ITO["blue"]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(label)}"><g fill="{_SHADE}" fill-opacity="{_SHADE_OPACITY}">{shades}</g>'
        f'<g fill="none" stroke="{colour}" stroke-width="{_LINE}" stroke-linejoin="round" stroke-linecap="round">'
        f"{curve}</g></svg>"
    )


def _runs(values: Sequence[float | None], low: float, high: float) -> list[list[tuple[float, float]]]:
    """Return the points of each piece of the curve, in pixels from the upper left corner."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            share = min(max((value - low) / (high - low), 0.0), 1.0)
            runs[-1].append(((place + 0.5) * _STEP, HEIGHT - _DOT - share * (HEIGHT - 2 * _DOT)))
    return [run for run in runs if run]


def _drawn(run: list[tuple[float, float]]) -> str:
    """Return a line through points, or a dot for a single one, which a line would not show."""
    points = [(_number(x), _number(y)) for x, y in run]
    if len(points) == 1:
        ((x, y),) = points
        return f'<circle cx="{x}" cy="{y}" r="{_DOT - _LINE / 2:.2f}" fill="{OKABE_ITO["blue"]}"/>'
    joined = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{joined}"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
