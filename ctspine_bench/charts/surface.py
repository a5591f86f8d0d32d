"""Surfaces of vertebrae → a figure in three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.charts.style import FONT, GREY, OKABE_ITO, empty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_HEIGHT: Final = 560
# Neighbours differ, and so do vertebrae that are next but one.
_COLOURS: Final = tuple(OKABE_ITO[name] for name in ("blue", "orange", "green", "purple", "sky", "vermillion"))
# From the left of the patient and a little from the front.
_EYE: Final = {"x": -1.9, "y": 0.7, "z": 0.25}
# Soft light over the right shoulder of who looks (negative z is in front of the screen; it turns with the view): no
# side is black on a dark page, none is white on a white one.
_LIGHTING: Final = {"ambient": 0.5, "diffuse": 0.7, "specular": 0.1, "roughness": 0.7, "fresnel": 0.05}
_LIGHT: Final = {"x": 100_000, "y": 100_000, "z": -50_000}


class Surface(Protocol):
    """The surface of a vertebra."""

    @property
    def label(self) -> int:
        """1–25."""

    @property
    def vertices_mm(self) -> NDArray[np.floating]:
        """`(n, 3)`: to the right of the patient, to the front, to the head."""

    @property
    def faces(self) -> NDArray[np.integer]:
        """`(m, 3)` indices of the corners of each triangle."""


def surface_figure(surfaces: Sequence[Surface]) -> go.Figure:
    """Draw vertebrae from the left of the patient, to be turned; a click in the legend hides one.

    Args:
        surfaces: The vertebrae, in any order; those without a triangle are left out.
    """
    shown = sorted((each for each in surfaces if len(each.faces)), key=lambda each: each.label)
    if not shown:
        return empty("There is no surface to show.")
    figure = go.Figure([_mesh(each) for each in shown])
    axis = {"visible": False, "showspikes": False}
    figure.update_layout(
        template="none",
        height=_HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": GREY},
        hoverlabel={"font": {"family": FONT}},
        scene={
            "aspectmode": "data",
            "xaxis": axis,
            "yaxis": axis,
            "zaxis": axis,
            "bgcolor": "rgba(0,0,0,0)",
            "camera": {"eye": _EYE, "up": {"x": 0, "y": 0, "z": 1}, "projection": {"type": "orthographic"}},
            "dragmode": "orbit",
        },
        showlegend=True,
        legend={"x": 1, "xanchor": "right", "y": 1, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "constant"},
    )
    return figure


def _mesh(surface: Surface) -> go.Mesh3d:
    # Single precision is a thousandth of a voxel here, and halves what a browser has to fetch.
    x, y, z = np.asarray(surface.vertices_mm, np.float32).T
    i, j, k = np.asarray(surface.faces, np.int32).T
    name = vertebra_name(surface.label)
    return go.Mesh3d(
        x=x,
        y=y,
        z=z,
        i=i,
        j=j,
        k=k,
        name=name,
        color=_COLOURS[surface.label % len(_COLOURS)],
        lighting=_LIGHTING,
        lightposition=_LIGHT,
        hovertemplate=f"{name}<extra></extra>",
        showlegend=True,
    )
