"""Shapes whose volume, overlap, surface and distance are known in closed form, as the metrics measure them.

Run from the repository root; prints the Markdown table of docs/CORRECTNESS.md::

    python benchmarks/analytic_shapes.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil, pi
from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.comparison import compare
from ctspine_bench.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

Point = tuple[float, float, float]

SPACINGS_MM: tuple[Point, ...] = ((2.0, 2.0, 2.0), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (0.76, 0.76, 1.1), (0.9, 0.9, 3.0))
HALF_MM = 25.0  # the shapes lie within ± this


@dataclass(frozen=True)
class Measurement:
    """One number of one pair of shapes: what is true, and what each spacing gives."""

    name: str
    unit: str
    true: float
    measured: tuple[float, ...]


def ellipsoid(centre_mm: Point, radii_mm: Point) -> Callable[..., NDArray[np.bool_]]:
    """Return the indicator function of an ellipsoid with axes along x, y, z."""

    def inside(*position_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        terms = zip(position_mm, centre_mm, radii_mm, strict=True)
        return sum(((p - c) / r) ** 2 for p, c, r in terms) <= 1  # type: ignore[return-value]

    return inside


def box(low_mm: Point, high_mm: Point) -> Callable[..., NDArray[np.bool_]]:
    """Return the indicator function of a box."""

    def inside(*position_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        x, y, z = ((low < p) & (p < high) for p, low, high in zip(position_mm, low_mm, high_mm, strict=True))
        return x & y & z

    return inside


@cache
def measure(
    first: Callable[..., NDArray[np.bool_]], second: Callable[..., NDArray[np.bool_]], spacing_mm: Point
) -> dict[str, float]:
    """Return all numbers of two shapes, drawn where voxel centres lie inside."""
    axes = []
    for mm in spacing_mm:
        n = ceil(HALF_MM / mm)
        # No voxel centre lies on the shapes' centres or planes: the general case, not a symmetric one.
        axes.append((np.arange(-n, n) + 0.5) * mm)
    position_mm = np.meshgrid(*axes, indexing="ij", sparse=True)
    reference, prediction = (shape(*position_mm).astype(np.uint8) for shape in (first, second))
    comparison = compare(reference, prediction, spacing_mm)
    (vertebra,) = score(comparison).vertebrae
    surface = comparison.surfaces[1].reference
    return {
        "dsc": vertebra.dsc or 0.0,
        "hd95": vertebra.hd95_mm or 0.0,
        "hd100": vertebra.hd100_mm or 0.0,
        "assd": vertebra.assd_mm or 0.0,
        "nsd_2mm": vertebra.nsd_2mm or 0.0,
        "volume": vertebra.reference_ml,
        "area": float(surface.areas_mm2 @ surface.counts),
    }


def measurements() -> Iterator[Measurement]:
    """Measure every pair of shapes at every spacing."""
    ball = ellipsoid((0, 0, 0), (15, 15, 15))

    def over_spacings(
        name: str, unit: str, true: float, key: str, other: Callable[..., NDArray[np.bool_]]
    ) -> Measurement:
        return Measurement(name, unit, true, tuple(measure(ball, other, mm)[key] for mm in SPACINGS_MM))

    larger = ellipsoid((0, 0, 0), (20, 20, 20))
    beside = ellipsoid((6, 0, 0), (15, 15, 15))
    yield over_spacings("volume of a ball, r = 15 mm", "mL", 4 / 3 * pi * 15**3 / 1000, "volume", ball)
    yield over_spacings("surface of a ball, r = 15 mm", "mm²", 4 * pi * 15**2, "area", ball)
    yield over_spacings("DSC of two such balls 6 mm apart", "", lens_dsc(15, 6), "dsc", beside)
    # The farthest point of one is on the line of centres, a displacement away from the other.
    yield over_spacings("HD100 of two such balls 6 mm apart", "mm", 6.0, "hd100", beside)
    yield over_spacings("HD95 of concentric balls, r = 15 and 20 mm", "mm", 5.0, "hd95", larger)
    yield over_spacings("HD100 of concentric balls, r = 15 and 20 mm", "mm", 5.0, "hd100", larger)
    yield over_spacings("ASSD of concentric balls, r = 15 and 20 mm", "mm", 5.0, "assd", larger)
    yield over_spacings("DSC of concentric balls, r = 15 and 20 mm", "", 2 * 15**3 / (15**3 + 20**3), "dsc", larger)
    # A cap is farther than 2 mm from the other ball: it begins where |√(r² + d² − 2dh) − r| = 2, h along the centres.
    yield over_spacings("NSD at 2 mm of two such balls 6 mm apart", "", ball_nsd(15, 6, 2), "nsd_2mm", beside)
    yield _ellipsoid_volume()
    yield from _boxes()


def _ellipsoid_volume() -> Measurement:
    shape = ellipsoid((0, 0, 0), (18, 12, 9))
    measured = tuple(measure(shape, shape, mm)["volume"] for mm in SPACINGS_MM)
    return Measurement("volume of an ellipsoid, 18 × 12 × 9 mm", "mL", 4 / 3 * pi * 18 * 12 * 9 / 1000, measured)


def _boxes() -> Iterator[Measurement]:
    cube, moved = box((-12, -12, -12), (12, 12, 12)), box((-6, -12, -12), (18, 12, 12))
    found = [measure(cube, moved, mm) for mm in SPACINGS_MM]
    yield Measurement("DSC of two cubes of 24 mm, 6 mm apart", "", 0.75, tuple(f["dsc"] for f in found))
    yield Measurement("HD100 of two cubes of 24 mm, 6 mm apart", "mm", 6.0, tuple(f["hd100"] for f in found))
    yield Measurement("surface of a cube of 24 mm", "mm²", 6 * 24.0**2, tuple(f["area"] for f in found))


def lens_dsc(radius: float, distance: float) -> float:
    """Return the DSC of two balls of one radius: the lens π(4r + d)(2r − d)²/12 over the volume 4πr³/3."""
    return (4 * radius + distance) * (2 * radius - distance) ** 2 / (16 * radius**3)


def ball_nsd(radius: float, distance: float, tolerance: float) -> float:
    """Return the NSD of two balls of one radius.

    A point of one sphere at height h along the line of centres is √(r² + d² − 2dh) from the other's centre, and equal
    steps of h have equal area (Archimedes).
    """
    squares = [(radius + sign * tolerance) ** 2 for sign in (1, -1)]
    low, high = ((radius**2 + distance**2 - square) / (2 * distance) for square in squares)
    return (min(high, radius) - max(low, -radius)) / (2 * radius)


def markdown() -> str:
    """Return the table: one row for each number, one column for each spacing, deviation from the truth in per cent."""
    header = ["number", "true", *(" × ".join(f"{mm:g}" for mm in spacing) for spacing in SPACINGS_MM)]
    lines = [header, ["---"] + ["---:"] * (len(header) - 1)]
    for row in measurements():
        digits = 4 if not row.unit else 2
        cells = [f"{value:.{digits}f} ({100 * (value / row.true - 1):+.1f} %)" for value in row.measured]
        lines.append([row.name, f"{row.true:.{digits}f} {row.unit}".strip(), *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(markdown())
