"""The standings of a test set → figures: how often each submission has each rank, and scores with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.charts.marks import Mark, error_bars, score_range
from ctspine_bench.charts.style import GREY, OKABE_ITO, add_heading, empty, styled
from ctspine_bench.charts.text import direction, short, titled
from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctspine_bench.rankings.standings import Standing, Standings

MOST: Final = 25
"""How many submissions a figure shows, first ones first; it says so where there are more."""

_NAME_LENGTH: Final = 18
_ROW_PIXELS: Final = 24
_LARGEST_BLOB: Final = 20
# Rarer ranks would be specks.
_RAREST: Final = 0.005
_RANK_DIGITS: Final = 2
_SCORE_PIXELS: Final = 52
_NOBODY: Final = "No submission is ranked."


def rank_plot(found: Standings, names: Mapping[str, str]) -> go.Figure:
    """Draw in which share of draws each submission has each rank: the share is the area of a blob.

    After the blob plot of challengeR (Wiesenfarth et al., 2021, doi:10.1038/s41598-021-82017-6). A bar marks the rank
    in the standings, a line the 95 % interval of the rank. Without draws there are no blobs, and a scheme without
    intervals has no lines.

    Args:
        found: The standings.
        names: Slug → what people call the submission; those that are not in it are called by their slug.
    """
    if not found.rows:
        return empty(_NOBODY)
    rows = found.rows[:MOST]
    figure = go.Figure()
    _add_rank_intervals(figure, rows)
    blobs = _blobs(rows)
    figure.add_scatter(
        x=[rank for _, rank, _ in blobs],
        y=[place for place, _, _ in blobs],
        mode="markers",
        cliponaxis=False,
        marker={
            "size": [_LARGEST_BLOB * share**0.5 for *_, share in blobs],
            "color": OKABE_ITO["blue"],
            "opacity": 0.75,
            "line_width": 0,
        },
        text=[f"{_name(rows[place], names)}<br>rank {rank} in {_percent(share)}" for place, rank, share in blobs],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[row.rank for row in rows],
        y=list(range(len(rows))),
        mode="markers",
        cliponaxis=False,
        marker={"symbol": "line-ns", "size": 18, "line": {"color": OKABE_ITO["vermillion"], "width": 3}},
        text=[_rank_text(row, names) for row in rows],
        hovertemplate="%{text}<extra></extra>",
    )
    lines = _key(figure, has_blobs=bool(blobs), has_intervals=any(row.low is not None for row in rows))
    worst = max([row.rank for row in rows] + [row.high or 1 for row in rows] + [rank for _, rank, _ in blobs])
    figure = _in_rows(figure, found, rows, names, "rank, 1 is the best", lines)
    return figure.update_xaxes(range=[0.4, worst + 0.6], **_whole_ticks(worst))


def forest_plot(found: Standings, names: Mapping[str, str]) -> go.Figure:
    """Draw the score of each submission with its 95 % interval, in the order of the standings.

    Args:
        found: The standings.
        names: Slug → what people call the submission; those that are not in it are called by their slug.
    """
    if not found.rows:
        return empty(_NOBODY)
    rows = found.rows[:MOST]
    digits = _RANK_DIGITS if SCHEMES[found.scheme].ranks else METRICS[found.metric].digits
    marks = [Mark(row.score, row.score_low, row.score_high) for row in rows]
    figure = go.Figure()
    figure.add_scatter(
        x=[mark.dsc for mark in marks],
        y=list(range(len(rows))),
        error_x=error_bars(marks),
        mode="markers",
        marker={"size": 9, "color": OKABE_ITO["blue"], "line_width": 0},
        text=[f"{_name(row, names)}<br>{_score_text(row, digits)}" for row in rows],
        hovertemplate="%{text}<extra></extra>",
    )
    for place, row in enumerate(rows):
        figure.add_annotation(
            x=1, xref="paper", xanchor="left", xshift=6, y=place, showarrow=False, text=f"{row.score:.{digits}f}"
        )
    figure = _in_rows(figure, found, rows, names, _score_title(found), 0)
    figure.update_layout(margin_r=_SCORE_PIXELS)
    return figure.update_xaxes(range=list(_score_ends(found, marks)), nticks=6)


def _blobs(rows: Sequence[Standing]) -> list[tuple[int, int, float]]:
    """Return (place of the row, rank, share) of what is not too rare to be seen."""
    return [
        (place, rank, share)
        for place, row in enumerate(rows)
        for rank, share in enumerate(row.frequencies, start=1)
        if share >= _RAREST
    ]


def _add_rank_intervals(figure: go.Figure, rows: Sequence[Standing]) -> None:
    x: list[int | None] = []
    y: list[int | None] = []
    for place, row in enumerate(rows):
        if row.low is not None and row.high is not None:
            x += [row.low, row.high, None]
            y += [place, place, None]
    if x:
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": GREY, "width": 2}, hoverinfo="skip")


def _key(figure: go.Figure, *, has_blobs: bool, has_intervals: bool) -> int:
    """Write what is what above the figure; return how many lines that takes."""
    parts = [f'<span style="color:{OKABE_ITO["vermillion"]}"><b>┃</b></span> rank']
    if has_intervals:
        parts.append("<b>─</b> 95 % interval")
    add_heading(figure, "   ".join(parts))
    if has_blobs:
        blob = f'<span style="color:{OKABE_ITO["blue"]}">●</span>'
        add_heading(figure, f"{blob} larger: more often", line=2)
    return 2 if has_blobs else 1


def _in_rows(
    figure: go.Figure, found: Standings, rows: Sequence[Standing], names: Mapping[str, str], title: str, lines: int
) -> go.Figure:
    """Give a figure one row for each submission, with what the horizontal axis shows below."""
    if len(rows) < len(found.rows):
        title += f"<br>the first {len(rows)} of {len(found.rows)} submissions"
    bottom = 46 + (16 if "<br>" in title else 0)
    top = 8 + 18 * lines
    figure = styled(figure, _ROW_PIXELS * len(rows) + top + bottom, top=top, bottom=bottom)
    figure.update_xaxes(title_text=title, tickangle=0)
    return figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[_name(row, names) for row in rows],
        range=[len(rows) - 0.4, -0.6],
        gridcolor="rgba(128,128,128,0.14)",
    )


def _whole_ticks(last: int) -> dict[str, Any]:
    """Return ticks at whole ranks: 1, and few enough others for a telephone."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, last) if last / step <= 10)
    ticks = sorted({1, *range(step, last + 1, step)})
    return {"tickvals": ticks, "ticktext": [str(tick) for tick in ticks]}


def _score_ends(found: Standings, marks: Sequence[Mark]) -> tuple[float, float]:
    """Return the ends of the axis; distances and ranks need other room than shares of 1."""
    if METRICS[found.metric].unit or SCHEMES[found.scheme].ranks:
        ends = np.array([end for mark in marks for end in (mark.dsc, mark.low, mark.high) if end is not None])
        margin = max(0.06 * float(np.ptp(ends)), 0.1)
        return float(ends.min()) - margin, float(ends.max()) + margin
    return score_range(marks)


def _score_title(found: Standings) -> str:
    scheme, metric = SCHEMES[found.scheme], METRICS[found.metric]
    better = direction(larger_is_better=scheme.larger_is_better(found.metric))
    what = f"mean rank by {metric.title}" if scheme.ranks else titled(metric)
    if found.scheme == OFFICIAL[0]:
        what = f"Mean of Vertebrae {what}"
    return f"{what}<br>{better}"


def _score_text(row: Standing, digits: int) -> str:
    text = f"{row.score:.{digits}f}"
    if row.score_low is None or row.score_high is None:
        return text
    return f"{text} [{row.score_low:.{digits}f}, {row.score_high:.{digits}f}]"


def _rank_text(row: Standing, names: Mapping[str, str]) -> str:
    text = f"{_name(row, names)}<br>rank {row.rank}"
    return text if row.low is None else f"{text} [{row.low}, {row.high}]"


def _name(row: Standing, names: Mapping[str, str]) -> str:
    return short(names.get(row.slug, row.slug), _NAME_LENGTH)


def _percent(share: float) -> str:
    return f"{share:.0%} of draws" if share >= 0.01 else "under 1% of draws"
