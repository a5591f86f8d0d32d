"""The scores of submissions within strata → figure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from ctspine_bench.charts.marks import SERIES, Mark, error_bars, score_range
from ctspine_bench.charts.style import styled
from ctspine_bench.charts.vertebrae import short

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW_PIXELS: Final = 34


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
    heights, ticks, places = _places(rows, len(names))
    figure = go.Figure()
    for number, name in enumerate(names):
        colour, symbol, _ = SERIES[number]
        aside = 0.2 * (number - (len(names) - 1) / 2)
        there = [(row.marks[number], height) for row, height in zip(rows, heights, strict=True)]
        marks = [(mark, height + aside) for mark, height in there if mark]
        figure.add_scatter(
            x=[mark.dsc for mark, _ in marks],
            y=[height for _, height in marks],
            error_x=error_bars([mark for mark, _ in marks]),
            text=[mark.text for mark, _ in marks],
            hovertemplate="%{text}<extra></extra>",
            name=short(name, 34),
            mode="markers",
            marker={"symbol": symbol, "size": 9, "color": colour},
        )
    low, high = score_range([mark for row in rows for mark in row.marks if mark])
    last = places[-1] if places else 0.0
    top = 20 * len(names) + 12 if len(names) > 1 else 8
    figure = styled(figure, int(_row_pixels(len(names)) * (last + 1.1)) + top + 44, top=top, bottom=44)
    figure.update_xaxes(title="mean DSC", range=[low, high], tickangle=0, nticks=6)
    figure.update_yaxes(tickvals=places, ticktext=ticks, range=[last + 0.6, -0.5], showgrid=False)
    legend = {"orientation": "v", "x": 0, "y": 1, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"}
    return figure.update_layout(showlegend=len(names) > 1, legend=legend)


def _places(rows: Sequence[StratumRow], n_names: int) -> tuple[list[float], list[str], list[float]]:
    """Return where each row is; and the texts at the axis with their places, groups with a heading each."""
    heights: list[float] = []
    ticks: list[str] = []
    places: list[float] = []
    at, group = 0.0, None
    heading = min(1.0, 26 / _row_pixels(n_names))
    for row in rows:
        if row.group != group:
            group = row.group
            at += 0.15 if places else 0.0
            ticks.append(f"<b>{escape(group, quote=False)}</b>")
            places.append(at)
            at += heading
        heights.append(at)
        ticks.append(f"{short(row.name, 20)}<br>{escape(row.n, quote=False)}")
        places.append(at)
        at += 1.0
    return heights, ticks, places


def _row_pixels(n_names: int) -> int:
    return max(_ROW_PIXELS, 11 * n_names + 8)
