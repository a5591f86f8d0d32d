"""Surfaces of vertebrae → a figure in three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import plotly.graph_objects as go

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.charts.style import FONT, OKABE_ITO, TEMPLATE, empty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_HEIGHT: Final = 560
# How much of the scene is to be seen, in its units, in half the width of a page as well.
_MOST_HIGH: Final = 2.1
_MOST_WIDE: Final = 1.3
_LEAST_MM: Final = 1.0
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
        template=TEMPLATE,
        height=_HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12},
        hoverlabel={"font": {"family": FONT}},
        scene={
            "aspectmode": "manual",
            "aspectratio": _aspect_ratio(shown),
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


def _aspect_ratio(shown: Sequence[Surface]) -> dict[str, float]:
    """Return the lengths of the axes in the units of the scene, so that a long spine is not cut off at its ends."""
    low = np.min([each.vertices_mm.min(axis=0) for each in shown], axis=0)
    high = np.max([each.vertices_mm.max(axis=0) for each in shown], axis=0)
    x, y, z = np.maximum(high - low, _LEAST_MM).tolist()
    scale = min(_MOST_HIGH / z, _MOST_WIDE / max(x, y))
    return {"x": scale * x, "y": scale * y, "z": scale * z}


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
