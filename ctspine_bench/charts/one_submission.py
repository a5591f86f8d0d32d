"""The case table of one submission → figures."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ctspine_bench.aggregate import HD95_CAP_MM, scored_vertebrae
from ctspine_bench.anatomy import REGIONS, VERTEBRAE
from ctspine_bench.charts.style import CAUSES, GREY, OKABE_ITO, SHADE, box_style, cause_marker, drawn, hd95_axis, styled

if TYPE_CHECKING:
    from numpy.typing import NDArray


_SYMBOLS: Final = {"missed": ("x-thin", 8), "spurious": ("circle-open", 14)}
"""What marks a level that was missed or spurious somewhere, and its size: both can stand in one place."""


def label_strip(table: pd.DataFrame) -> go.Figure:
    """Draw DSC and HD95 of every vertebra from C1 to L6: the mean over its quartiles and outliers, n below.

    What is missed or spurious counts as in the official table, and is marked.

    Args:
        table: The case table of one test set (see `tables.COLUMNS`).
    """
    rows = scored_vertebrae(table)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    _strip_row(figure, 1, rows, "dsc", OKABE_ITO["blue"], 0.0)
    _strip_row(figure, 2, rows, "hd95_mm", OKABE_ITO["vermillion"], HD95_CAP_MM)
    for region, labels in REGIONS.items():
        first, last = labels.start - 1.5, labels.stop - 1.5
        if region != "thoracic":
            figure.add_vrect(first, last, fillcolor=SHADE, line_width=0, layer="below", row="all", col=1)
        figure.add_annotation(x=(first + last) / 2, y=1.0, yref="paper", yshift=14, text=region, showarrow=False)
    n = rows["vertebra"].value_counts()
    ticks = [f"{name}<br>{n.get(name, 0) or '–'}" for name in VERTEBRAE]
    figure.update_xaxes(tickvals=list(range(len(VERTEBRAE))), range=[-0.6, len(VERTEBRAE) - 0.4], showgrid=False)
    figure.update_xaxes(ticktext=ticks, tickangle=0, title="vertebra, and in how many cases", row=2, col=1)
    figure.update_yaxes(title="DSC", range=[-0.05, 1.03], row=1, col=1)
    figure.update_yaxes(**hd95_axis(), row=2, col=1)
    return styled(figure, 520, top=36, bottom=52, min_width=720)


def case_distribution(table: pd.DataFrame) -> go.Figure:
    """Draw the mean DSC and HD95 of every case over its vertebrae, by source; hovering names the case."""
    rows = scored_vertebrae(table)
    rows = rows.assign(source=rows["source"].fillna("unknown source"))
    cases = rows.groupby(["source", "case_id"], sort=True)[["dsc", "hd95_mm"]].mean().reset_index()
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    for source, of_source in cases.groupby("source", sort=True):
        for column, metric, colour in ((1, "dsc", "blue"), (2, "hd95_mm", "vermillion")):
            values = of_source[metric].to_numpy(np.float64)
            figure.add_box(
                x=drawn(values, metric),
                y=[escape(str(source), quote=False)] * len(of_source),
                text=_hover(of_source["case_id"], values, metric),
                **box_style(OKABE_ITO[colour]),
                boxpoints="all",
                pointpos=0,
                jitter=0.5,
                orientation="h",
                row=1,
                col=column,
            )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    lowest = min([0.8, *(float(mean) for mean in np.floor(10 * cases["dsc"]) / 10)])
    figure.update_xaxes(title="mean DSC of a case", range=[lowest - 0.03, 1.03], row=1, col=1)
    figure.update_xaxes(**{**hd95_axis(), "title": "mean HD95 of a case, mm"}, row=1, col=2)
    return styled(figure, 72 + 64 * cases["source"].nunique(), top=12, bottom=52, min_width=560)


def shift_confusion(table: pd.DataFrame) -> go.Figure:
    """Draw what every reference vertebra was called: blue on the diagonal is right, orange is another name or none."""
    rows = table[(table["row"] == "vertebra") & (table["status"] != "spurious")]
    names = _levels_shown(rows)
    counts = _confusion(rows, names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    columns = [*names, "missed"]
    right = np.eye(*counts.shape) > 0
    figure = go.Figure()
    for where, dark, light in (
        (right, OKABE_ITO["blue"], "#cfe3f1"),
        (np.logical_not(right), OKABE_ITO["vermillion"], "#fbe0cc"),
    ):
        shown = where & (counts > 0)
        figure.add_heatmap(
            z=_cells(shares, shown),
            text=_cells(counts, shown, empty=""),
            x=columns,
            y=list(names),
            colorscale=[(0, light), (1, dark)],
            zmin=0,
            zmax=1,
            showscale=False,
            hoverongaps=False,
            texttemplate="%{text}",
            textfont_size=10,
            hovertemplate="%{y} called %{x}: %{text} (%{z:.0%})<extra></extra>",
            xgap=1,
            ygap=1,
        )
    figure.update_xaxes(
        title="called", side="top", tickangle=0, showgrid=True, type="category", range=[-0.5, len(columns) - 0.5]
    )
    figure.update_yaxes(title="reference", autorange="reversed", type="category")
    return styled(figure, 72 + 22 * len(names), top=60, bottom=8, min_width=72 + 26 * len(columns))


def loss_bars(table: pd.DataFrame) -> go.Figure:
    """Draw what every vertebra loses to 1 in DSC on average, by cause."""
    rows = scored_vertebrae(table)
    means = rows.groupby("vertebra")[[column for column, *_ in CAUSES]].mean()
    names = [name for name in VERTEBRAE if name in means.index]
    figure = go.Figure()
    for column, title, colour, pattern in CAUSES:
        figure.add_bar(
            x=names,
            y=[float(value) for value in means.loc[names, column]],
            name=title,
            marker=cause_marker(colour, pattern),
            hovertemplate=f"%{{x}}: %{{y:.3f}} lost, {title}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack", showlegend=True, legend={"orientation": "h", "y": 1.14, "x": 0, "traceorder": "normal"}
    )
    figure.update_xaxes(showgrid=False, tickangle=0, type="category", categoryarray=list(VERTEBRAE))
    figure.update_xaxes(range=[-0.6, len(VERTEBRAE) - 0.4])
    figure.update_yaxes(title="lost DSC", rangemode="tozero")
    return styled(figure, 320, top=40, bottom=32, min_width=640)


def _strip_row(figure: go.Figure, row: int, rows: pd.DataFrame, metric: str, colour: str, worst: float) -> None:
    label = rows["label"].to_numpy(np.int64) - 1
    values = rows[metric].to_numpy(np.float64)
    figure.add_box(
        x=label,
        y=drawn(values, metric),
        text=_hover(rows["case_id"], values, metric),
        **box_style(colour),
        boxpoints="outliers",
        width=0.6,
        row=row,
        col=1,
    )
    means = {place: float(values[label == place].mean()) for place in np.unique(label).tolist()}
    figure.add_scatter(
        x=list(means),
        y=drawn(np.array(list(means.values())), metric),
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "color": colour, "line": {"width": 1, "color": "white"}},
        text=[f"{VERTEBRAE[place]}: mean {mean:.3g}" for place, mean in means.items()],
        hovertemplate="%{text}<extra></extra>",
        row=row,
        col=1,
    )
    for status, (symbol, size) in _SYMBOLS.items():
        marked = Counter(label[(rows["status"] == status).to_numpy()].tolist())
        figure.add_scatter(
            x=list(marked),
            y=[worst] * len(marked),
            mode="markers",
            marker={"symbol": symbol, "size": size, "color": GREY, "line": {"width": 2, "color": GREY}},
            text=[f"{VERTEBRAE[place]}: {status} in {n}" for place, n in marked.items()],
            hovertemplate="%{text}<extra></extra>",
            row=row,
            col=1,
        )


def _hover(case_ids: pd.Series, values: NDArray[np.float64], metric: str) -> list[str]:
    unit, digits = ("mm", 2) if metric == "hd95_mm" else ("", 3)
    return [
        f"{escape(str(case_id), quote=False)}: {value:.{digits}f} {unit}".rstrip()
        for case_id, value in zip(case_ids, values, strict=True)
    ]


def _levels_shown(rows: pd.DataFrame) -> tuple[str, ...]:
    labels = pd.concat([rows["label"], rows["predicted_as"]]).dropna()
    return VERTEBRAE[int(labels.min()) - 1 : int(labels.max())] if len(labels) else VERTEBRAE


def _confusion(rows: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return how often a reference vertebra was covered mostly by which label; the last column counts "by none"."""
    counts = np.zeros((len(names), len(names) + 1), np.int64)
    first = VERTEBRAE.index(names[0]) + 1
    called = rows["predicted_as"].fillna(first + len(names)).to_numpy(np.int64)
    np.add.at(counts, (rows["label"].to_numpy(np.int64) - first, called - first), 1)
    return counts


def _cells(values: NDArray[Any], shown: NDArray[np.bool_], empty: str | None = None) -> list[list[Any]]:
    return [
        [value if show else empty for value, show in zip(row, shows, strict=True)]
        for row, shows in zip(values.tolist(), shown.tolist(), strict=True)
    ]
