"""Means of the vertebrae of many submissions, and what lies behind one of them → figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.anatomy import REGIONS, VERTEBRAE, vertebra_name
from ctspine_bench.charts.colours import GOODNESS, colours_of, readable_on
from ctspine_bench.charts.style import GREY, OKABE_ITO, add_heading, box_style, drawn, empty, hd95_axis, styled
from ctspine_bench.charts.text import counted, direction, short, titled, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.rankings.paired import Metric

_ROW_PIXELS: Final = 26
# More rows than these are an overview: numbers would be noise, and rows can be lower.
_NUMBERS_UP_TO: Final = 20
_LOW_ROW_PIXELS: Final = 18
_NAME_LENGTH: Final = 19
_REGION_GAP: Final = 0.45
_MIN_WIDTH: Final = 700
# One hopeless submission must not push all others into one colour: the scale ends at this quantile, or where the worse
# half would be stretched to so many times the better one.
_WORSE_QUANTILE: Final = 0.05
_WORSE_HALF: Final = 3.0
# Nor may a difference that is nothing take all colours: 0.1 of a share, or twice a distance (on its logarithmic scale).
_LEAST_SPAN: Final = 0.1
_LEAST_RATIO: Final = 0.3
_KEY_STEPS: Final = 14
_FEW_COLOUR: Final = "rgba(128,128,128,0.25)"
_FEW_TEXT: Final = "<5"
_NO_VALUE: Final = "·"
# Fewer values than these have no quartiles worth drawing.
_QUARTILES_FROM: Final = 5


@dataclass(frozen=True)
class HeatRow:
    """A submission in the heat map.

    Attributes:
        slug: What a click on one of its cells answers with.
        name: What people call it.
        values: A mean for each of C1–L6, `None` where there is none.
        few: The labels (1–25) whose mean is held back because fewer than five cases have them.
        ranked: Whether it is ranked; the others stand below, apart.
        n: For each label over how many cases its mean is, in words; empty where that is not told.
    """

    slug: str
    name: str
    values: tuple[float | None, ...]
    few: frozenset[int] = frozenset()
    ranked: bool = True
    n: tuple[str, ...] = ("",) * len(VERTEBRAE)


def heat_map(
    rows: Sequence[HeatRow], n: Sequence[str], measure: Metric, chosen: tuple[str, int] | None = None
) -> go.Figure:
    """Draw submissions against C1–L6: the darker a cell, the better.

    Args:
        rows: The submissions, first on top.
        n: For each label how many references have it, in words.
        measure: What the values are.
        chosen: Slug and label of a cell to frame.
    """
    if not rows:
        return empty("No submission has values.")
    heights = _heights(rows)
    goodness = np.array([[_goodness(value, measure) for value in row.values] for row in rows])
    scale = _scale(goodness, measure)
    figure = go.Figure()
    for region, labels in REGIONS.items():
        columns = slice(labels.start - 1, labels.stop - 1)
        few = np.array([[1.0 if label in row.few else np.nan for label in labels] for row in rows])
        where = {"x0": _x(labels.start), "dx": 1, "hoverinfo": "skip", "xgap": 1, "ygap": 1}
        figure.add_heatmap(z=_placed(goodness[:, columns], heights), coloraxis="coloraxis", **where)
        figure.add_heatmap(
            z=_placed(few, heights), colorscale=[(0, _FEW_COLOUR), (1, _FEW_COLOUR)], showscale=False, **where
        )
        middle = (_x(labels.start) + _x(labels.stop - 1)) / 2
        figure.add_annotation(x=middle, y=1, yref="paper", yanchor="bottom", text=region, showarrow=False)
    add_heading(figure, _key(goodness, scale, measure), line=2)
    if len(rows) <= _NUMBERS_UP_TO:
        _add_numbers(figure, rows, heights, goodness, scale, measure)
    _add_targets(figure, rows, heights, measure)
    if chosen:
        _frame(figure, rows, heights, chosen)
    low, high = scale
    figure.update_layout(
        coloraxis={"colorscale": GOODNESS, "cmin": low, "cmax": high, "showscale": False}, clickmode="event+select"
    )
    return _with_axes(figure, rows, heights, n)


def cell_distribution(case_ids: Sequence[str], values: NDArray[np.float64], measure: Metric) -> go.Figure:
    """Draw the values of one vertebra in all cases: a point each, the quartiles, and the mean as a diamond.

    Args:
        case_ids: Whose the values are.
        values: `(n,)`, by the official policies.
        measure: What they are.
    """
    if not values.size:
        return empty("No case has this vertebra.")
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
    if values.size < _QUARTILES_FROM:
        figure.update_traces(fillcolor="rgba(0,0,0,0)", line_color="rgba(0,0,0,0)")
    mean = float(values.mean())
    figure.add_scatter(
        x=drawn(np.array([mean]), measure.name),
        y=[0],
        mode="markers",
        marker={"symbol": "diamond", "size": 12, "color": OKABE_ITO["vermillion"], "line_width": 0},
        hovertemplate=f"mean {told(mean, measure)}<extra></extra>",
    )
    in_cases = f"{titled(measure)}, in {counted(len(values))}; {direction(larger_is_better=measure.larger_is_better)}"
    if measure.name == "hd95_mm":
        figure.update_xaxes(**hd95_axis())
    else:
        figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(visible=False, range=[-0.6, 0.6])
    add_heading(figure, f'<span style="color:{OKABE_ITO["vermillion"]}">◆</span> mean {told(mean, measure)}')
    figure = styled(figure, 190, top=28, bottom=48)
    figure.update_xaxes(title_text=in_cases, tickangle=0)
    return figure.update_layout(margin_l=16)


def _heights(rows: Sequence[HeatRow]) -> list[int]:
    """Return where each row is: between those that are ranked and the others a row is left empty."""
    any_ranked = any(row.ranked for row in rows)
    return [place + (1 if any_ranked and not row.ranked else 0) for place, row in enumerate(rows)]


def _x(label: int) -> float:
    """Return where a label is: regions are set apart."""
    return label + _REGION_GAP * next(n for n, labels in enumerate(REGIONS.values()) if label in labels)


def _goodness(value: float | None, measure: Metric) -> float:
    """Return a number that grows with the better, for the colour; distances by their logarithm."""
    if value is None:
        return float("nan")
    placed = float(np.log10(max(value, 0.1))) if measure.unit == "mm" else value
    return placed if measure.larger_is_better else -placed


def _cell(value: float, measure: Metric) -> str:
    """Return a value in few characters: shares without their leading zero, as tables of statistics have them."""
    if measure.unit == "mm":
        return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


def _placed(values: NDArray[np.float64], heights: Sequence[int]) -> list[list[float | None]]:
    """Return values `(rows, columns)` with every row at its height; NaN and what is between are `None`."""
    placed: list[list[float | None]] = [[None] * values.shape[1] for _ in range(heights[-1] + 1)]
    for height, row in zip(heights, values.tolist(), strict=True):
        placed[height] = [None if np.isnan(value) else value for value in row]
    return placed


def _scale(goodness: NDArray[np.float64], measure: Metric) -> tuple[float, float]:
    """Return the two ends of the colours."""
    found = goodness[~np.isnan(goodness)]
    if not found.size:
        return 0.0, 1.0
    median, high = float(np.median(found)), float(found.max())
    low = max(float(np.quantile(found, _WORSE_QUANTILE)), median - _WORSE_HALF * (high - median))
    return min(low, high - (_LEAST_RATIO if measure.unit else _LEAST_SPAN)), high


def _key(goodness: NDArray[np.float64], scale: tuple[float, float], measure: Metric) -> str:
    """Return the scale of colours as a line of text: a colour bar of plotly's would take room of its own."""
    digits = 1 if measure.unit else 2
    worst, best = (f"{_value(end, measure):.{digits}f}" for end in scale)
    beyond = np.nanmin(goodness, initial=np.inf) < scale[0]
    sign = ("≤ " if measure.larger_is_better else "≥ ") if beyond else ""
    steps = np.linspace(*scale, _KEY_STEPS)
    bar = "".join(f'<span style="color:rgb({r:.0f},{g:.0f},{b:.0f})">█</span>' for r, g, b in colours_of(steps, *scale))
    note = ", logarithmic" if measure.unit else ""
    return f"{titled(measure)}:  {sign}{worst} {bar} {best}  the darker, the better{note}"


def _value(goodness: float, measure: Metric) -> float:
    """Undo `_goodness`."""
    placed = goodness if measure.larger_is_better else -goodness
    return float(10**placed) if measure.unit == "mm" else placed


def _add_numbers(
    figure: go.Figure,
    rows: Sequence[HeatRow],
    heights: Sequence[int],
    goodness: NDArray[np.float64],
    scale: tuple[float, float],
    measure: Metric,
) -> None:
    """Write the values into the cells, each in black or in white, whichever is read better there."""
    cells = []
    for row, height, of_row in zip(rows, heights, goodness, strict=True):
        inks = [readable_on(colour) for colour in colours_of(of_row, *scale)]
        for label, (value, ink) in enumerate(zip(row.values, inks, strict=True), start=1):
            text = _FEW_TEXT if label in row.few else _NO_VALUE if value is None else _cell(value, measure)
            cells.append((_x(label), height, text, GREY if value is None else ink))
    figure.add_scatter(
        x=[x for x, *_ in cells],
        y=[y for _, y, *_ in cells],
        text=[text for *_, text, _ in cells],
        mode="text",
        textfont={"size": 10, "color": [ink for *_, ink in cells]},
        hoverinfo="skip",
    )


def _add_targets(figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[int], measure: Metric) -> None:
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
        + (f"<br>over {counted(int(row.n[label - 1]))}" if value is not None and row.n[label - 1].isdecimal() else "")
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


def _frame(figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[int], chosen: tuple[str, int]) -> None:
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


def _with_axes(figure: go.Figure, rows: Sequence[HeatRow], heights: Sequence[int], n: Sequence[str]) -> go.Figure:
    last = heights[-1]
    row_pixels = _ROW_PIXELS if len(rows) <= _NUMBERS_UP_TO else _LOW_ROW_PIXELS
    figure = styled(figure, int(row_pixels * (last + 1)) + 44 + 40, top=44, bottom=40, min_width=_MIN_WIDTH)
    figure.update_xaxes(
        tickvals=[_x(label) for label in range(1, len(VERTEBRAE) + 1)],
        ticktext=[f"{name}<br>{escape(text)}" for name, text in zip(VERTEBRAE, n, strict=True)],
        tickangle=0,
        tickfont_size=10,
        range=[_x(1) - 0.6, _x(len(VERTEBRAE)) + 0.6],
        showgrid=False,
    )
    ticks = {height: short(row.name, _NAME_LENGTH) for row, height in zip(rows, heights, strict=True)}
    first_unranked = next((place for place, row in enumerate(rows) if not row.ranked), None)
    if first_unranked:
        ticks[heights[first_unranked] - 1] = "<i>not ranked:</i>"
    figure.update_yaxes(
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
        range=[last + 0.55, -0.55],
        showgrid=False,
    )
    return figure
