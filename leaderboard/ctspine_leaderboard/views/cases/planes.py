"""Which cut through a case a view shows: along the spine, or a plane of the volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.report.curves import cut_along
from ctspine_leaderboard.views.cases.drawing import Plane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ctspine_bench.report.curves import View as Curved
    from ctspine_leaderboard.volumes.parts import Part

VIEWS: Final[Mapping[str, str]] = {
    "spine": "Along the spine",
    "sagittal": "Sagittal slices",
    "coronal": "Coronal slices",
    "axial": "Axial slices",
    "surface": "Surfaces in 3-D",
}
"""What can be looked at."""

AXES: Final[Mapping[str, int]] = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The views that are planes of the volume → the axis across."""

_ENDS: Final[Mapping[int, tuple[str, str]]] = {0: ("back", "front"), 1: ("left", "right"), 2: ("left", "right")}


@dataclass(frozen=True, eq=False)
class Layers:
    """What one picture is made of.

    Attributes:
        labels: What is outlined in colour.
        reference: The reference, which says where the spine is.
        image: The CT; `None` without one.
    """

    labels: Part
    reference: Part
    image: Part | None


def slices(reference: Part, view: str) -> tuple[range, int]:
    """Return the slices of a view in the volume, counted from 1, and the one through the middle of the spine."""
    axis = AXES[view]
    others = tuple(other for other in range(3) if other != axis)
    profile = np.count_nonzero(reference.voxels, axis=others)
    middle = int(np.searchsorted(np.cumsum(profile), profile.sum() / 2))
    first = reference.start[axis] + 1
    return range(first, first + len(profile)), first + min(middle, len(profile) - 1)


def plane(layers: Layers, view: str, number: int) -> Plane:
    """Return a plane of the volume.

    Args:
        layers: What is shown.
        view: One of `AXES`.
        number: One of its `slices`.
    """
    axis = AXES[view]
    index = number - 1 - layers.reference.start[axis]
    spacing = [mm for other, mm in enumerate(layers.reference.spacing_mm) if other != axis]
    return _plane(layers, lambda part: np.take(part.voxels, index, axis), (spacing[0], spacing[1]), _ENDS[axis])


def along_the_spine(layers: Layers, view: Curved) -> Plane | None:
    """Return a cut that follows the spine of the reference; `None` if that is empty."""
    curve = layers.reference.curves[view]
    if curve is None:
        return None
    x, y, z = layers.reference.spacing_mm
    spacing = (y, z) if view == "sagittal" else (x, z)
    return _plane(
        layers, lambda part: cut_along(part.voxels, part.spacing_mm, curve, view).labels, spacing, _ENDS[AXES[view]]
    )


def _plane(
    layers: Layers, cut: Callable[[Part], NDArray[np.uint8]], spacing: tuple[float, float], ends: tuple[str, str]
) -> Plane:
    return Plane(
        labels=cut(layers.labels),
        ghost=None if layers.labels is layers.reference else cut(layers.reference),
        grey=cut(layers.image) if layers.image else None,
        spacing_mm=spacing,
        ends=ends,
    )
