"""Two submissions on the same cases → figures.

Differences are always the first less the second, in the unit of the metric. Blue is where the first is better, orange
where the second is; words in the figure say which side is whose. What is equal is grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.anatomy import REGIONS, VERTEBRAE
from ctspine_bench.charts.marks import spread
from ctspine_bench.charts.style import GREY, OKABE_ITO, SHADE, add_heading, empty, styled
from ctspine_bench.charts.text import counted, short, signed, titled, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import Metric

FIRST: Final = OKABE_ITO["blue"]
"""Colour of the first submission."""
SECOND: Final = OKABE_ITO["orange"]
"""Colour of the second one."""

_NAME_LENGTH: Final = 25
_NO_CASES: Final = "No case in which both have a value."
_NO_LABELS: Final = "No vertebra for which both have a value."
_ROW_PIXELS: Final = 20
_PLOT_PIXELS: Final = 250
# More bars than these stand close together: gaps between them would be all one sees.
_GAPS_UP_TO: Final = 60
_FEW_BARS: Final = 12
# What differs by less is equal but for rounding.
_ROUNDING: Final = 1e-12
# The share of a normal distribution that limits of agreement hold is 95 %.
_LIMITS_SD: Final = 1.96


@dataclass(frozen=True)
class LabelDifference:
    """How two submissions differ on one label.

    Attributes:
        name: The vertebra.
        n: In how many cases it is; `None` where that is not told.
        difference: The first less the second.
        low: Lower end of its 95 % interval; `None` without one.
        high: Upper end.
    """

    name: str
    n: int | None
    difference: float
    low: float | None = None
    high: float | None = None


def case_differences(
    case_ids: Sequence[str], differences: NDArray[np.float64], metric: Metric, names: tuple[str, str]
) -> go.Figure:
    """Draw a bar for every case, from the best for the first submission to the best for the second.

    Args:
        case_ids: The cases.
        differences: `(n,)`.
        metric: What differs.
        names: The two submissions.
    """
    if not differences.size:
        return empty(_NO_CASES)
    better = differences if metric.larger_is_better else -differences
    order = np.argsort(-better, kind="stable")
    ids, sorted_ = [case_ids[i] for i in order], differences[order]
    figure = go.Figure()
    n_of = {}
    for side, colour, _ in _sides(better[order]):
        places = np.flatnonzero(side)
        n_of[colour] = len(places)
        figure.add_bar(
            x=places.tolist(),
            y=sorted_[places].tolist(),
            text=[f"{escape(ids[i], quote=False)}: {signed(sorted_[i], metric)}" for i in places.tolist()],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            marker={"color": colour},
        )
    _add_line(figure, 0.0, "solid")
    figure = styled(figure, _PLOT_PIXELS + 96, top=64, bottom=32)
    figure.update_layout(showlegend=False, bargap=0.12 if len(ids) <= _GAPS_UP_TO else 0)
    equal = f", {n_of[GREY]} of them equal" if n_of[GREY] else ""
    figure.update_xaxes(
        title_text=f"{counted(len(ids))}, sorted{equal}",
        # Few bars need not be as wide as the page.
        range=[-0.6, max(len(ids), _FEW_BARS) - 0.4],
        showticklabels=False,
        showgrid=False,
    )
    figure.update_yaxes(range=_span(differences))
    return _with_sides(figure, metric, names, (f" in {n_of[FIRST]}", f" in {n_of[SECOND]}"))


def label_differences(labels: Sequence[LabelDifference], metric: Metric, names: tuple[str, str]) -> go.Figure:
    """Draw a dot with its 95 % interval for every label, from the head down.

    Args:
        labels: The labels that both have.
        metric: What differs.
        names: The two submissions.
    """
    if not labels:
        return empty(_NO_LABELS)
    rows = sorted(labels, key=lambda label: VERTEBRAE.index(label.name))
    figure = go.Figure()
    values = np.array([row.difference for row in rows])
    for side, colour, symbol in _sides(values if metric.larger_is_better else -values):
        places = np.flatnonzero(side).tolist()
        some = [rows[place] for place in places]
        figure.add_scatter(
            x=[row.difference for row in some],
            y=places,
            error_x=_whiskers(some),
            mode="markers",
            marker={"size": 9, "color": colour, "symbol": symbol},
            text=[_label_text(row, metric) for row in some],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.add_vline(0.0, line={"color": GREY, "width": 1})
    for region, of_region in REGIONS.items():
        places = [place for place, row in enumerate(rows) if VERTEBRAE.index(row.name) + 1 in of_region]
        if places and region != "thoracic":
            figure.add_hrect(places[0] - 0.5, places[-1] + 0.5, fillcolor=SHADE, line_width=0, layer="below")
    ends = [end for row in rows for end in (row.low, row.difference, row.high) if end is not None]
    figure = styled(figure, _ROW_PIXELS * len(rows) + 48 + 48, top=48, bottom=48)
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[row.name if row.n is None else f"{row.name}  <i>n</i> = {row.n}" for row in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(title_text=_axis_title(metric), range=_span(np.array(ends)), tickangle=0, nticks=7)
    return _with_sides_across(figure, metric, names)


def bland_altman(
    case_ids: Sequence[str], values: NDArray[np.float64], metric: Metric, names: tuple[str, str]
) -> go.Figure:
    """Draw the difference of every case against its mean (Bland & Altman, 1986, doi:10.1016/S0140-6736(86)90837-8).

    The lines are the mean difference and the limits of agreement, 1.96 standard deviations to both sides.

    Args:
        case_ids: The cases.
        values: `(n, 2)` of the two submissions.
        metric: What they are.
        names: The two submissions.
    """
    if not len(values):
        return empty(_NO_CASES)
    means, differences = values.mean(axis=1), values[:, 0] - values[:, 1]
    figure = go.Figure()
    for side, colour, symbol in _sides(differences if metric.larger_is_better else -differences):
        places = np.flatnonzero(side)
        figure.add_scatter(
            x=means[places].tolist(),
            y=differences[places].tolist(),
            mode="markers",
            marker={"size": 7, "opacity": 0.85, "color": colour, "symbol": symbol},
            text=[
                f"{escape(case_ids[i], quote=False)}: {told(values[i, 0], metric)} and {told(values[i, 1], metric)}"
                for i in places.tolist()
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    _add_line(figure, 0.0, "solid")
    span = _add_agreement(figure, differences, metric)
    figure = styled(figure, _PLOT_PIXELS + 112, top=64, bottom=48)
    ends = float(means.min()), float(means.max())
    margin = max(0.05 * (ends[1] - ends[0]), 0.01)
    figure.update_xaxes(
        title_text=titled(metric, "mean {} of both"), range=[ends[0] - margin, ends[1] + margin], tickangle=0, nticks=7
    )
    figure.update_yaxes(range=span)
    figure.update_layout(margin_r=76)
    return _with_sides(figure, metric, names)


def agreement(differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the lower limit of agreement, the mean difference and the upper limit; `differences` is `(n,)`, n > 0."""
    mean = float(differences.mean())
    margin = _LIMITS_SD * float(differences.std(ddof=1)) if differences.size > 1 else 0.0
    return mean - margin, mean, mean + margin


def _sides(better: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.bool_], str, str]]:
    """Yield what is better for the first, for the second, and for neither, each with its colour and symbol."""
    yield better > _ROUNDING, FIRST, "circle"
    yield better < -_ROUNDING, SECOND, "diamond"
    yield np.abs(better) <= _ROUNDING, GREY, "circle-open"


def _add_line(figure: go.Figure, y: float, dash: str) -> None:
    figure.add_hline(y, line={"color": GREY, "width": 1, "dash": dash})


def _add_agreement(figure: go.Figure, differences: NDArray[np.float64], metric: Metric) -> list[float]:
    """Draw mean and limits of agreement, told at the right; return the range of the axis that shows all."""
    low, mean, high = agreement(differences)
    told_there = [(mean, "mean", "dot")]
    if high - mean > _ROUNDING:
        told_there += [(low, "− 1.96 SD", "dash"), (high, "+ 1.96 SD", "dash")]
    lines = np.array([value for value, *_ in told_there])
    span = _span(np.append(differences, lines))
    pixel = (span[1] - span[0]) / _PLOT_PIXELS
    heights = spread(lines, 30 * pixel, span[0] + 12 * pixel, span[1] - 12 * pixel)
    for (value, name, dash), height in zip(told_there, heights.tolist(), strict=True):
        _add_line(figure, value, dash)
        figure.add_annotation(
            x=1,
            xref="paper",
            xanchor="left",
            y=height,
            showarrow=False,
            align="left",
            text=f"{signed(value, metric)}<br>{name}",
            font_size=11,
        )
    return span


def _whiskers(labels: Sequence[LabelDifference]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if label.high is None else label.high - label.difference for label in labels],
        "arrayminus": [0.0 if label.low is None else label.difference - label.low for label in labels],
        "thickness": 1.5,
        "width": 0,
    }


def _label_text(label: LabelDifference, metric: Metric) -> str:
    text = f"{label.name}: {signed(label.difference, metric)}"
    if label.low is not None and label.high is not None:
        text += f" [{label.low:+.{metric.digits}f}, {label.high:+.{metric.digits}f}]".replace("-", "−")
    return text if label.n is None else f"{text}<br>{counted(label.n)}"


def _axis_title(metric: Metric) -> str:
    return titled(metric, "difference in {}")


def _span(values: NDArray[np.float64]) -> list[float]:
    """Return a range around 0 with some room at both ends."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = 0.08 * (high - low) or 0.01
    return [low - room, high + room]


def _with_sides(
    figure: go.Figure, metric: Metric, names: tuple[str, str], words: tuple[str, str] = ("", "")
) -> go.Figure:
    """Write above a figure what its axis shows, and which submission is better at its top and at its bottom."""
    add_heading(figure, _axis_title(metric), line=3)
    sides = [(FIRST, names[0], words[0]), (SECOND, names[1], words[1])]
    above, below = sides if metric.larger_is_better else sides[::-1]
    for (colour, name, in_words), arrow, line in ((above, "▲", 2), (below, "▼", 1)):
        add_heading(figure, _side(arrow, colour, f"{short(name, _NAME_LENGTH)} better{in_words}"), line=line)
    return figure


def _with_sides_across(figure: go.Figure, metric: Metric, names: tuple[str, str]) -> go.Figure:
    """Write at the left and at the right which submission is better there."""
    sides = [(FIRST, names[0]), (SECOND, names[1])]
    right, left = sides if metric.larger_is_better else sides[::-1]
    add_heading(figure, _side("◀", left[0], f"{short(left[1], _NAME_LENGTH)} better"), line=1)
    add_heading(figure, f"{short(right[1], _NAME_LENGTH)} better {_side('▶', right[0])}", line=2, at_right=True)
    return figure


def _side(arrow: str, colour: str, text: str = "") -> str:
    return f'<span style="color:{colour}">{arrow}</span> {text}'.rstrip()
