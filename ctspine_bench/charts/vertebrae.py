"""Means of the vertebrae of many submissions, and what lies behind one of them → figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sequential

from ctspine_bench.anatomy import REGIONS, VERTEBRAE, vertebra_name
from ctspine_bench.charts.style import GREY, OKABE_ITO, box_style, drawn, hd95_axis, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import Metric

_ROW_PIXELS: Final = 26
_REGION_GAP: Final = 0.45
_NAME_LENGTH: Final = 24
# More rows than these are an overview: numbers would be noise.
_NUMBERS_UP_TO: Final = 20
# A single hopeless submission must not push all others into one colour: the scale ends at this quantile of the worse.
_WORSE_QUANTILE: Final = 0.05
_FEW_COLOUR: Final = "rgba(128,128,128,0.30)"


@dataclass(frozen=True)
class HeatRow:
    """A submission in the heat map.

    Attributes:
        slug: What a click on one of its cells answers with.
        name: What people call it.
        values: A mean for each of C1–L6, `None` where there is none.
        few: The labels (1–25) whose mean is held back because fewer than five cases have them.
        ranked: Whether it is ranked; the others stand below, apart.
    """

    slug: str
    name: str
    values: tuple[float | None, ...]
    few: frozenset[int] = frozenset()
    ranked: bool = True


def heat_map(
    rows: Sequence[HeatRow], n: Sequence[str], measure: Metric, chosen: tuple[str, int] | None = None
) -> go.Figure:
    """Draw submissions against C1–L6. The better end of the scale is always the light one, at its right.

    Args:
        rows: The submissions, first on top.
        n: For each label in how many cases it is, in words.
        measure: What the values are.
        chosen: Slug and label of a cell to frame.
    """
    heights = _heights(rows)
    goodness = np.array([[_goodness(value, measure) for value in row.values] for row in rows]).reshape(-1, len(n))
    figure = go.Figure()
    for place, labels in enumerate(REGIONS.values()):
        columns = slice(labels.start - 1, labels.stop - 1)
        where = {"x0": _x(labels.start), "dx": 1, "y": heights, "hoverinfo": "skip", "xgap": 1, "ygap": 1}
        texts = [[_cell(value, measure) for value in row.values[columns]] for row in rows]
        figure.add_heatmap(
            z=_holes(goodness[:, columns]),
            **where,
            coloraxis="coloraxis",
            **({"text": texts, "texttemplate": "%{text}", "textfont_size": 10} if len(rows) <= _NUMBERS_UP_TO else {}),
        )
        few = [[1.0 if label in row.few else None for label in labels] for row in rows]
        figure.add_heatmap(
            z=few,
            **where,
            text=[["<5" if cell else "" for cell in row] for row in few],
            texttemplate="%{text}",
            textfont={"size": 10, "color": GREY},
            colorscale=[(0, _FEW_COLOUR), (1, _FEW_COLOUR)],
            showscale=False,
        )
        middle = (_x(labels.start) + _x(labels.stop - 1)) / 2
        name = tuple(REGIONS)[place]
        figure.add_annotation(x=middle, y=1, yref="paper", yanchor="bottom", text=name, showarrow=False)
    _add_targets(figure, rows, heights, n, measure)
    if chosen:
        _frame(figure, rows, heights, chosen)
    figure.update_layout(coloraxis=_colour_axis(goodness, measure), clickmode="event+select", dragmode=False)
    return _with_axes(figure, rows, heights, n)


def cell_distribution(case_ids: Sequence[str], values: NDArray[np.float64], measure: Metric) -> go.Figure:
    """Draw the values of one vertebra in all cases: a point each, the quartiles, and the mean as a diamond.

    Args:
        case_ids: Whose the values are.
        values: `(n,)`, by the official policies.
        measure: What they are.
    """
    figure = go.Figure()
    figure.add_box(
        x=drawn(values, measure.name),
        y=[0] * len(values),
        text=[
            f"{escape(case, quote=False)}: {told(value, measure)}"
            for case, value in zip(case_ids, values.tolist(), strict=True)
        ],
        **box_style(OKABE_ITO["blue"]),
        boxpoints="all",
        pointpos=0,
        jitter=0.7,
        width=0.8,
        orientation="h",
    )
    if values.size:
        mean = float(values.mean())
        figure.add_scatter(
            x=drawn(np.array([mean]), measure.name),
            y=[0],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": OKABE_ITO["vermillion"], "line_width": 1.5},
            hovertemplate=f"mean {told(mean, measure)}<extra></extra>",
        )
    if measure.name == "hd95_mm":
        figure.update_xaxes(**hd95_axis())
    else:
        figure.update_xaxes(title=measure.title, range=[-0.03, 1.03])
    figure.update_yaxes(visible=False, range=[-0.6, 0.6])
    figure = styled(figure, 170, top=8, bottom=48)
    return figure.update_layout(margin_l=16)


def told(value: float, measure: Metric) -> str:
    """Return a value with its digits and its unit."""
    return f"{value:.{measure.digits}f} {measure.unit}".rstrip()


def short(name: str, length: int = _NAME_LENGTH) -> str:
    """Return a name for an axis: not longer than that, and no markup."""
    return escape(name if len(name) <= length else f"{name[: length - 1].rstrip()}…", quote=False)


def _heights(rows: Sequence[HeatRow]) -> list[float]:
    """Return where each row is, those that are not ranked a little apart."""
    any_ranked = any(row.ranked for row in rows)
    return [place + (0.4 if any_ranked and not row.ranked else 0.0) for place, row in enumerate(rows)]


def _x(label: int) -> float:
    """Return where a label is: regions are set apart."""
    return label + _REGION_GAP * next(n for n, labels in enumerate(REGIONS.values()) if label in labels)


def _goodness(value: float | None, measure: Metric) -> float:
    """Return a number that grows with the better, for the colour; distances by their logarithm."""
    if value is None:
        return float("nan")
    placed = float(np.log10(max(value, 0.1))) if measure.unit == "mm" else value
    return placed if measure.larger_is_better else -placed


def _cell(value: float | None, measure: Metric) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if measure.unit == "mm" and value < 9.95 else f"{value:.{0 if measure.unit else 2}f}"


def _holes(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]


def _colour_axis(goodness: NDArray[np.float64], measure: Metric) -> dict[str, object]:
    found = goodness[~np.isnan(goodness)]
    low, high = (float(np.quantile(found, _WORSE_QUANTILE)), float(found.max())) if found.size else (0.0, 1.0)
    if high - low < 1e-9:
        low -= 1e-3
    places = np.linspace(low, high, 4)
    texts = [f"{_value(place, measure):.{1 if measure.unit else 2}f}" for place in places.tolist()]
    worse = "≤" if measure.larger_is_better else "≥"
    if found.size and float(found.min()) < low:
        texts[0] = f"{worse} {texts[0]}"
    unit = f", {measure.unit}" if measure.unit else ""
    return {
        "colorscale": sequential.Cividis,
        "cmin": low,
        "cmax": high,
        "colorbar": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "len": 0.5,
            "thickness": 10,
            "y": 0,
            "yanchor": "top",
            "ypad": 44,
            "xpad": 0,
            "outlinewidth": 0,
            "tickvals": places.tolist(),
            "ticktext": texts,
            "title": {"text": f"{measure.title}{unit}: better to the right", "side": "bottom"},
        },
    }


def _value(goodness: float, measure: Metric) -> float:
    """Undo `_goodness`."""
    placed = goodness if measure.larger_is_better else -goodness
    return float(10**placed) if measure.unit == "mm" else placed


def _add_targets(
    figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[float], n: Sequence[str], measure: Metric
) -> None:
    """Lay invisible points over the cells: they answer to hovering and, which cells of a heat map do not, to clicks."""
    cells = [
        (row, height, label, value)
        for row, height in zip(rows, heights, strict=True)
        for label, value in enumerate(row.values, start=1)
        if value is not None or label in row.few
    ]
    texts = [
        f"{short(row.name)}<br>{vertebra_name(label)}: "
        + ("held back, in fewer than five cases" if value is None else f"{measure.title} {told(value, measure)}")
        + (f"<br>in {escape(n[label - 1])} cases" if value is not None and n[label - 1].isdigit() else "")
        for row, _, label, value in cells
    ]
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=[_x(label) for _, _, label, _ in cells],
        y=[height for _, height, _, _ in cells],
        customdata=[[row.slug, label] for row, _, label, _ in cells],
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        mode="markers",
        marker={"symbol": "square", "size": 18, "opacity": 0},
        selected=unseen,
        unselected=unseen,
    )


def _frame(figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[float], chosen: tuple[str, int]) -> None:
    slug, label = chosen
    for row, height in zip(rows, heights, strict=True):
        if row.slug == slug:
            x = _x(label)
            figure.add_shape(
                type="rect",
                x0=x - 0.5,
                x1=x + 0.5,
                y0=height - 0.5,
                y1=height + 0.5,
                line={"color": OKABE_ITO["vermillion"], "width": 3},
            )


def _with_axes(figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[float], n: Sequence[str]) -> go.Figure:
    last = heights[-1] if heights else 0.0
    figure = styled(figure, int(_ROW_PIXELS * (last + 1)) + 136, top=28, bottom=108)
    figure.update_xaxes(
        tickvals=[_x(label) for label in range(1, len(VERTEBRAE) + 1)],
        ticktext=[f"{name}<br>{escape(text)}" for name, text in zip(VERTEBRAE, n, strict=True)],
        tickangle=0,
        tickfont_size=10,
        range=[_x(1) - 0.6, _x(len(VERTEBRAE)) + 0.6],
        showgrid=False,
    )
    figure.update_yaxes(
        tickvals=heights,
        ticktext=[short(row.name) for row in rows],
        range=[last + 0.55, -0.55],
        showgrid=False,
    )
    return figure
