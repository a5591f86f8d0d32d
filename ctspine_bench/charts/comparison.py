"""Two submissions on the same cases → figures.

Differences are always the first less the second, in the unit of the metric. Blue is where the first is better, orange
with stripes where the second is; a label in the figure says which side is whose.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.anatomy import REGIONS, VERTEBRAE
from ctspine_bench.charts.style import GREY, OKABE_ITO, SHADE, styled
from ctspine_bench.charts.vertebrae import short, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import Metric

FIRST: Final = OKABE_ITO["blue"]
"""Colour of the first submission."""
SECOND: Final = OKABE_ITO["orange"]
"""Colour of the second one."""

_NAME_LENGTH: Final = 26
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
    better = differences if metric.larger_is_better else -differences
    order = np.argsort(-better, kind="stable")
    ids, sorted_, ahead = [case_ids[i] for i in order], differences[order], better[order] >= 0
    figure = go.Figure()
    for is_first, colour, pattern in ((True, FIRST, ""), (False, SECOND, "/")):
        places = np.flatnonzero(ahead == is_first)
        figure.add_bar(
            x=places.tolist(),
            y=sorted_[places].tolist(),
            text=[f"{escape(ids[i], quote=False)}: {_signed(sorted_[i], metric)}" for i in places.tolist()],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.5)", "size": 5}},
        )
    _add_line(figure, 0.0, GREY, "solid")
    figure = styled(figure, 300, top=30, bottom=40)
    figure.update_layout(showlegend=False, bargap=0.12)
    figure.update_xaxes(title=f"{len(ids)} cases, sorted", showticklabels=False, showgrid=False)
    figure.update_yaxes(title=_axis_title(metric), range=_span(differences))
    return _with_sides(figure, metric, names)


def label_differences(labels: Sequence[LabelDifference], metric: Metric, names: tuple[str, str]) -> go.Figure:
    """Draw a dot with its 95 % interval for every label from C1 to L6.

    Args:
        labels: The labels that both have.
        metric: What differs.
        names: The two submissions.
    """
    figure = go.Figure()
    values = np.array([label.difference for label in labels])
    better = values if metric.larger_is_better else -values
    for is_first, colour, symbol in ((True, FIRST, "circle"), (False, SECOND, "diamond")):
        some = [label for label, ahead in zip(labels, better >= 0, strict=True) if ahead == is_first]
        figure.add_scatter(
            x=[VERTEBRAE.index(label.name) for label in some],
            y=[label.difference for label in some],
            error_y=_whiskers(some),
            mode="markers",
            marker={"size": 9, "color": colour, "symbol": symbol},
            text=[_label_text(label, metric) for label in some],
            hovertemplate="%{text}<extra></extra>",
        )
    _add_line(figure, 0.0, GREY, "solid")
    for region, places in REGIONS.items():
        if region != "thoracic":
            figure.add_vrect(places.start - 1.5, places.stop - 1.5, fillcolor=SHADE, line_width=0, layer="below")
    n_of = {label.name: label.n for label in labels}
    ends = [end for label in labels for end in (label.low, label.difference, label.high) if end is not None]
    figure = styled(figure, 340, top=30, bottom=52)
    figure.update_xaxes(
        tickvals=list(range(len(VERTEBRAE))),
        ticktext=[f"{name}<br>{n_of.get(name) or '–'}" for name in VERTEBRAE],
        tickangle=0,
        tickfont_size=10,
        range=[-0.6, len(VERTEBRAE) - 0.4],
        showgrid=False,
        title="vertebra, and in how many cases",
    )
    figure.update_yaxes(title=_axis_title(metric), range=_span(np.array(ends)))
    return _with_sides(figure, metric, names)


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
    means, differences = values.mean(axis=1), values[:, 0] - values[:, 1]
    better = differences if metric.larger_is_better else -differences
    figure = go.Figure()
    for is_first, colour, symbol in ((True, FIRST, "circle"), (False, SECOND, "diamond")):
        places = np.flatnonzero((better >= 0) == is_first)
        figure.add_scatter(
            x=means[places].tolist(),
            y=differences[places].tolist(),
            mode="markers",
            marker={"size": 7, "opacity": 0.75, "color": colour, "symbol": symbol},
            text=[
                f"{escape(case_ids[i], quote=False)}: {told(values[i, 0], metric)} and {told(values[i, 1], metric)}"
                for i in places.tolist()
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    lines = agreement(differences)
    for value, name, dash in zip(
        lines, ("mean − 1.96 SD", "mean", "mean + 1.96 SD"), ("dash", "solid", "dash"), strict=True
    ):
        _add_line(figure, value, GREY, dash)
        figure.add_annotation(
            x=1,
            xref="paper",
            xanchor="right",
            y=value,
            yanchor="bottom",
            showarrow=False,
            text=f"{name} {_signed(value, metric)}",
            font_size=11,
        )
    figure = styled(figure, 340, top=30, bottom=48)
    unit = f", {metric.unit}" if metric.unit else ""
    figure.update_xaxes(title=f"mean {metric.title} of both{unit}")
    figure.update_yaxes(title=_axis_title(metric), range=_span(np.append(differences, lines)))
    return _with_sides(figure, metric, names)


def agreement(differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the lower limit of agreement, the mean difference and the upper limit; `differences` is `(n,)`, n > 0."""
    mean = float(differences.mean())
    margin = _LIMITS_SD * float(differences.std(ddof=1)) if differences.size > 1 else 0.0
    return mean - margin, mean, mean + margin


def _add_line(figure: go.Figure, y: float, colour: str, dash: str) -> None:
    figure.add_hline(y, line={"color": colour, "width": 1, "dash": dash})


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
    text = f"{label.name}: {_signed(label.difference, metric)}"
    if label.low is not None and label.high is not None:
        text += f" [{label.low:+.{metric.digits}f}, {label.high:+.{metric.digits}f}]".replace("-", "−")
    return text if label.n is None else f"{text}<br>{label.n} cases"


def _signed(value: float, metric: Metric) -> str:
    return f"{value:+.{metric.digits}f} {metric.unit}".rstrip().replace("-", "−")


def _axis_title(metric: Metric) -> str:
    return f"difference in {metric.title}" + (f", {metric.unit}" if metric.unit else "")


def _span(values: NDArray[np.float64]) -> list[float]:
    """Return a range around 0 with room for the names of the sides."""
    low, high = (min(float(values.min()), 0.0), max(float(values.max()), 0.0)) if values.size else (-1.0, 1.0)
    room = 0.14 * (high - low) or 0.01
    return [low - room, high + room]


def _with_sides(figure: go.Figure, metric: Metric, names: tuple[str, str]) -> go.Figure:
    """Write at the top and at the bottom which submission is better there."""
    above, below = names if metric.larger_is_better else names[::-1]
    for name, arrow, y, anchor in ((above, "▲", 1.0, "bottom"), (below, "▼", 0.0, "bottom")):
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            y=y,
            yref="paper",
            yanchor=anchor,
            showarrow=False,
            text=f"{arrow} {short(name, _NAME_LENGTH)} better",
            font_size=11,
        )
    return figure
