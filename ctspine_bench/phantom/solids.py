"""Bones and organs as tables of simple solids.

A structure is a smooth union of solids minus some holes, in a frame of its own: x to the right, y to the front, z up
along the structure. Every solid is one row of numbers, so that one compiled loop (`rasterise.py`) can draw everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CAPSULE: Final = 0.0
BODY: Final = 1.0
N_COLUMNS: Final = 16
"""Columns of a row: kind, bounding sphere (centre, radius), then eleven numbers of the kind."""

_RIM_MM: Final = 0.6

Point = tuple[float, float, float]
Row = tuple[float, ...]


@dataclass(frozen=True)
class Material:
    """What something looks like in CT: Hounsfield units of a shell, its thickness, and Hounsfield units within."""

    shell_hu: float
    shell_mm: float
    core_hu: float


BONE: Final = Material(750.0, 1.3, 200.0)


@dataclass(frozen=True, eq=False)
class Structure:
    """One bone or organ, ready to be drawn.

    Attributes:
        label: What its voxels are called; 0 for what is seen but not labelled.
        to_world: 3×4, own frame → patient frame, mm.
        solids: `(n, 16)` rows of `capsule` and `body`.
        holes: `(m, 16)` rows to take away.
        material: What it looks like.
    """

    label: int
    to_world: NDArray[np.float64]
    solids: NDArray[np.float64]
    holes: NDArray[np.float64]
    material: Material = BONE

    @property
    def to_own(self) -> NDArray[np.float64]:
        """3×4, patient frame → own frame, mm."""
        rotation = self.to_world[:, :3].T
        return np.column_stack([rotation, -rotation @ self.to_world[:, 3]])

    def bounds_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest corner, in the patient frame, of a box around the solids."""
        centres = self.solids[:, 1:4] @ self.to_world[:, :3].T + self.to_world[:, 3]
        radii = self.solids[:, 4:5]
        return (centres - radii).min(axis=0), (centres + radii).max(axis=0)


def table(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Rows as an array, `(n, 16)`; empty when there are none."""
    return np.array(rows, dtype=np.float64).reshape(-1, N_COLUMNS)


def capsule(start: Point, end: Point, radius: float, end_radius: float | None = None, flat: Point = (1, 1, 1)) -> Row:
    """A thick line from `start` to `end`, its radius going from `radius` to `end_radius`.

    `flat` stretches its cross-section along x, y, z: a lamina is thin along y and tall along z.
    """
    a, b, stretch = np.array(start), np.array(end), np.array(flat)
    last = radius if end_radius is None else end_radius
    reach = np.linalg.norm(b - a) / 2 + max(radius, last) * stretch.max()
    return (CAPSULE, *((a + b) / 2), reach, *(a / stretch), *(b / stretch), radius, last, *flat)


def ball(centre: Point, radii: Point) -> Row:
    """An ellipsoid with the given half axes."""
    return capsule(centre, centre, 1.0, flat=radii)


def body(
    widths: tuple[float, float],
    depths: tuple[float, float],
    height: float,
    *,
    waist: float,
    hollow: float,
    wedge: float,
) -> Row:
    """A vertebral body around the origin: a waisted cylinder between two slightly dished endplates.

    Args:
        widths: Of the upper and the lower endplate, mm.
        depths: Likewise.
        height: At the middle of its depth, mm.
        waist: How much narrower it is half way up, as a share.
        hollow: How far the posterior face is hollowed, as a share of half the depth.
        wedge: By how much the height grows per mm to the front.
    """
    # The rounded rim takes a little off, and the hollow takes from the depth behind.
    behind = 1 / (1 / 2 + 1 / (2 + 2 * hollow))
    a, b, c, d = (length / 2 + _RIM_MM for length in (*widths, *(depth * behind for depth in depths)))
    reach = float(np.linalg.norm([max(a, b), max(c, d), height / 2 + _RIM_MM + abs(wedge) * max(c, d) / 2]))
    halves = (a, b, c, d, height / 2 + _RIM_MM / 2)
    return (BODY, 0, 0, 0, reach, *halves, waist, hollow, wedge / 2, 0, 0, 0)


def unlabelled(rows: Sequence[Row], material: Material, to_world: NDArray[np.float64] | None = None) -> Structure:
    """A structure that only the image shows; in the patient frame when no other is given."""
    return Structure(0, np.eye(3, 4) if to_world is None else to_world, table(rows), table([]), material)


def mirrored(*rows: Row) -> list[Row]:
    """The rows and their mirror images on the left."""
    flips = np.ones(N_COLUMNS)
    flips[[1, 5, 8]] = -1
    return [*rows, *(tuple(np.array(row) * flips) for row in rows)]
