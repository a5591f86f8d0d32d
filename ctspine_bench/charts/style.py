"""What all charts have in common: colours, axes, looks.

Backgrounds are transparent and text is of a grey that reads equally well on white and on a dark page. Colours are those
of Okabe and Ito, which people with any colour vision tell apart; a place, a symbol, a pattern or a number repeats what
a colour says. A figure that cannot be drawn in the width of a telephone says in `layout.meta["min_width"]` how many
pixels it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OKABE_ITO: Final[Mapping[str, str]] = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "yellow": "#F0E442",
}
GREY: Final = "#747980"
"""Of text and lines: a contrast of 4.3 both on white and on a dark page, and no colour does better on both."""
CAUSES: Final = (
    ("loss_identification", "wrong name", OKABE_ITO["orange"], "/"),
    ("loss_missed", "missed", OKABE_ITO["purple"], "x"),
    ("loss_boundary", "outline", OKABE_ITO["blue"], ""),
    ("loss_spurious", "spurious", OKABE_ITO["green"], "."),
)
"""What DSC is lost to: column of the case table, what people read, colour and pattern."""
GRID: Final = "rgba(128,128,128,0.22)"
SHADE: Final = "rgba(128,128,128,0.09)"
FONT: Final = "system-ui, sans-serif"
_TEXT_PIXELS: Final = 12
LINE_PIXELS: Final = 18
"""What a line of text above a figure takes of the upper margin."""
_HD95_FLOOR_MM: Final = 0.1  # where a logarithmic axis ends; smaller distances are drawn there
_HD95_TICKS: Final = (0.1, 0.3, 1, 3, 10, 30, 100)


TEMPLATE: Final = go.layout.Template(layout={"font": {"color": GREY}})
"""In place of plotly's own, which would outline every bar in white and add six kilobytes to every figure. Text gets its
colour from here, so that a page with a theme of its own can set another."""


def styled(figure: go.Figure, height: int, *, top: int, bottom: int, min_width: int | None = None) -> go.Figure:
    """Give a figure its height and margins in pixels and the common look, and return it.

    Args:
        figure: The figure.
        height: In pixels.
        top: Margin in pixels.
        bottom: Margin in pixels.
        min_width: What it needs to be read, in pixels; narrower pages have to scroll it.
    """
    figure.update_layout(
        template=TEMPLATE,
        height=height,
        margin={"l": 48, "r": 16, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": _TEXT_PIXELS},
        hoverlabel={"font": {"family": FONT}},
        bargap=0.25,
        # A finger that scrolls the page must not zoom the figure.
        dragmode=False,
        meta={"min_width": min_width} if min_width else None,
    )
    if not any(trace.type == "bar" for trace in figure.data):
        figure.update_layout(showlegend=False)
    figure.update_traces(marker_line_width=0, selector={"type": "bar"})
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.update(gridcolor=GRID, zeroline=False, ticks="", automargin=True, title_standoff=10)
        axis.title.font.size = _TEXT_PIXELS
        # Said outright, because the theme of a page may think otherwise.
        axis.showgrid = axis.showgrid is not False
    return figure


def add_heading(figure: go.Figure, text: str, *, line: int = 1, at_right: bool = False) -> None:
    """Write a line of text above a figure: words on their side along an axis are hard to read, and cost width.

    Args:
        figure: The figure.
        text: The text, escaped.
        line: Which line it is, counted from the figure up; each takes `LINE_PIXELS`.
        at_right: Whether it ends at the right end of the figure.
    """
    x, anchor = (1, "right") if at_right else (0, "left")
    figure.add_annotation(
        x=x,
        xref="paper",
        xanchor=anchor,
        y=1,
        yref="paper",
        yanchor="bottom",
        yshift=2 + LINE_PIXELS * (line - 1),
        showarrow=False,
        text=text,
    )


def empty(sentence: str) -> go.Figure:
    """Return a figure that says why it shows nothing."""
    figure = go.Figure()
    figure.add_annotation(x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, text=sentence)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return styled(figure, 120, top=8, bottom=8)


def cause_marker(colour: str, pattern: str) -> dict[str, Any]:
    """Return the looks of a bar for one of `CAUSES`."""
    lines = {"shape": pattern, "fgcolor": "rgba(255,255,255,0.55)", "size": 5, "fillmode": "overlay"}
    return {"color": colour, "pattern": lines}


def box_style(colour: str) -> dict[str, Any]:
    """Return the looks of a faint box of quartiles in a colour, with points that answer to hovering."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "line": {"width": 1, "color": f"rgba({red},{green},{blue},0.6)"},
        "marker": {"size": 5, "opacity": 0.75, "color": colour},
        "hoveron": "points",
        "hovertemplate": "%{text}<extra></extra>",
    }


def drawn(values: NDArray[np.float64], metric: str) -> list[float]:
    """Return where values of a metric are drawn: HD95 not below the end of its logarithmic axis."""
    drawn = np.maximum(values, _HD95_FLOOR_MM) if metric == "hd95_mm" else values
    return [float(value) for value in drawn]


def hd95_axis() -> dict[str, Any]:
    """Return a logarithmic axis for HD95 in mm."""
    return {
        "title": "HD95, mm",
        "type": "log",
        "range": [float(np.log10(0.08)), float(np.log10(130))],
        "tickvals": list(_HD95_TICKS),
        "ticktext": ["≤ 0.1", *(f"{tick:g}" for tick in _HD95_TICKS[1:])],
    }
