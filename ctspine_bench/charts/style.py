"""What all charts have in common: colours, axes, looks.

Backgrounds are transparent and text is of a grey that reads on light and on dark; a page may set its own. Colours are
those of Okabe and Ito, which people with any colour vision tell apart; a symbol, a pattern or a number repeats what a
colour says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go
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
GREY: Final = "#7a7f87"
CAUSES: Final = (
    ("loss_identification", "wrong name", OKABE_ITO["orange"], "/"),
    ("loss_missed", "missed", OKABE_ITO["purple"], "x"),
    ("loss_boundary", "outline", OKABE_ITO["blue"], ""),
)
"""What DSC is lost to: column of the case table, what people read, colour and pattern."""
_GRID: Final = "rgba(128,128,128,0.22)"
SHADE: Final = "rgba(128,128,128,0.08)"
_HD95_FLOOR_MM: Final = 0.1  # where a logarithmic axis ends; smaller distances are drawn there
_HD95_TICKS: Final = (0.1, 0.3, 1, 3, 10, 30, 100)


def styled(figure: go.Figure, height: int, *, top: int, bottom: int) -> go.Figure:
    """Give a figure its height and margins in pixels and the common look, and return it."""
    figure.update_layout(
        height=height,
        margin={"l": 56, "r": 16, "t": top, "b": bottom},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": GREY},
        hoverlabel={"font": {"family": "system-ui, sans-serif"}},
        bargap=0.25,
    )
    if not any(trace.type == "bar" for trace in figure.data):
        figure.update_layout(showlegend=False)
    figure.update_xaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, zeroline=False, automargin=True)
    return figure


def cause_marker(colour: str, pattern: str) -> dict[str, Any]:
    """Return the looks of a bar for one of `CAUSES`."""
    return {"color": colour, "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.55)", "size": 5}}


def box_style(colour: str) -> dict[str, Any]:
    """Return the looks of a faint box of quartiles in a colour, with points that answer to hovering."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "line": {"width": 1, "color": f"rgba({red},{green},{blue},0.6)"},
        "marker": {"size": 5, "opacity": 0.6, "color": colour},
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
