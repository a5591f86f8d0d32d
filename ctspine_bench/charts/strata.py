"""The scores of submissions within strata → figure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from ctspine_bench.charts.marks import SERIES, Mark, error_bars, score_range
from ctspine_bench.charts.style import LINE_PIXELS, SHADE, add_heading, empty, styled
from ctspine_bench.charts.text import direction, short

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME_LENGTH: Final = 24
_STRATUM_LENGTH: Final = 18
_ROW_PIXELS: Final = 38
_LANE_PIXELS: Final = 12
_HEADING_PIXELS: Final = 24
_GAP_PIXELS: Final = 6


@dataclass(frozen=True)
class StratumRow:
    """Some vertebrae of a test set, in all submissions.

    Attributes:
        group: What the vertebrae are divided by.
        name: Which part of it.
        n: How many cases, in words.
        marks: One for each submission, `None` where there is no score.
    """

    group: str
    name: str
    n: str
    marks: tuple[Mark | None, ...]


def strata_chart(names: Sequence[str], rows: Sequence[StratumRow]) -> go.Figure:
    """Draw the mean DSC of submissions within strata: a dot with its interval each, and how many cases there are.

    Args:
        names: The submissions, at most `MOST`.
        rows: The strata; those of a group stand together.
    """
    if not any(any(row.marks) for row in rows):
        return empty("No score in any of these strata.")
    row_pixels = max(_ROW_PIXELS, _LANE_PIXELS * len(names) + 10)
    heights, ticks, end = _places(rows, row_pixels)
    figure = go.Figure()
    for number in range(len(names)):
        colour, symbol, _ = SERIES[number]
        aside = _LANE_PIXELS * (number - (len(names) - 1) / 2)
        there = [(row.marks[number], height) for row, height in zip(rows, heights, strict=True)]
        marks = [(mark, height + aside) for mark, height in there if mark]
        figure.add_scatter(
            x=[mark.dsc for mark, _ in marks],
            y=[height for _, height in marks],
            error_x=error_bars([mark for mark, _ in marks]),
            text=[mark.text for mark, _ in marks],
            hovertemplate="%{text}<extra></extra>",
            mode="markers",
            marker={"symbol": symbol, "size": 9, "color": colour},
        )
    half = (row_pixels - _GAP_PIXELS) / 2
    band = {
        "type": "rect",
        "xref": "x domain",
        "x0": 0,
        "x1": 1,
        "fillcolor": SHADE,
        "line": {"width": 0},
        "layer": "below",
    }
    # All at once: one by one, each copies those before it.
    figure.update_layout(shapes=[{**band, "y0": height - half, "y1": height + half} for height in heights])
    low, high = score_range([mark for row in rows for mark in row.marks if mark])
    top = _add_key(figure, names) if len(names) > 1 else 8
    figure = styled(figure, int(end) + top + 48, top=top, bottom=48)
    figure.update_xaxes(
        title_text=f"mean DSC, {direction(larger_is_better=True)}", range=[low, high], tickangle=0, nticks=6
    )
    return figure.update_yaxes(tickvals=list(ticks), ticktext=list(ticks.values()), range=[end, 0], showgrid=False)


def _add_key(figure: go.Figure, names: Sequence[str]) -> int:
    """Write above the figure who has which symbol; return the height of that in pixels."""
    for number, name in enumerate(names):
        colour, _, glyph = SERIES[number]
        text = f'<span style="color:{colour}">{glyph}</span> {short(name, _NAME_LENGTH)}'
        add_heading(figure, text, line=len(names) - number)
    return LINE_PIXELS * len(names) + 6


def _places(rows: Sequence[StratumRow], row_pixels: int) -> tuple[list[float], dict[float, str], float]:
    """Return where each row is, what stands at the axis where, and where all ends: in pixels from the top."""
    heights: list[float] = []
    ticks: dict[float, str] = {}
    at, group = 0.0, None
    for row in rows:
        if row.group != group:
            group = row.group
            at += _GAP_PIXELS if heights else 0.0
            ticks[at + _HEADING_PIXELS / 2] = f"<b>{escape(group, quote=False)}</b>"
            at += _HEADING_PIXELS
        heights.append(at + row_pixels / 2)
        ticks[heights[-1]] = f"{short(row.name, _STRATUM_LENGTH)}<br>{escape(row.n, quote=False)}"
        at += row_pixels
    return heights, ticks, at
