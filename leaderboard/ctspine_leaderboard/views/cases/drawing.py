"""One picture: a cut through the CT in grey, with the outlines of labels over it, as SVG.

Outlines are drawn as lines and not as pixels, so that they stay fine however large the picture is shown.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from ctspine_bench.anatomy import LABELS, vertebra_name
from ctspine_bench.report.pictures import PALETTE
from ctspine_leaderboard.volumes.tracing import outlines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

COLOURS: Final = {label: "#{:02x}{:02x}{:02x}".format(*PALETTE[label].tolist()) for label in LABELS}
"""The colour of each label, as in the report."""

_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
    'font-family="system-ui, sans-serif" font-size="11" stroke-linejoin="round">'
)
_GROUND: Final = "#10141a"
_GHOST: Final = "#ffffff"
_FAINT: Final = "#aab2bd"
_NAMES_WIDTH: Final = 32
_LINE_HEIGHT: Final = 12
_EDGE: Final = 14
# A smaller patch is outlined, and not named.
_LEAST_MM2: Final = 12.0


@dataclass(frozen=True, eq=False)
class Plane:
    """A cut through a case.

    Attributes:
        labels: `(horizontal, vertical)` what is outlined in colour; left to right, bottom to top.
        ghost: What is outlined in white beneath; `None` for nothing.
        grey: The CT; `None` without one.
        spacing_mm: Of both axes.
        ends: What lies at the left and at the right.
    """

    labels: NDArray[np.uint8]
    ghost: NDArray[np.uint8] | None
    grey: NDArray[np.uint8] | None
    spacing_mm: tuple[float, float]
    ends: tuple[str, str]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Its width and height."""
        width, height = (n * mm for n, mm in zip(self.labels.shape, self.spacing_mm, strict=True))
        return float(width), float(height)


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG with its size in pixels of the page."""

    svg: str
    width: int
    height: int


def draw(plane: Plane, pixels_per_mm: float) -> Drawing:
    """Draw a plane with the names of the labels at its left, and what lies at either end below."""
    width, height = (side * pixels_per_mm for side in plane.size_mm)
    scale = np.array(plane.spacing_mm) * pixels_per_mm
    total = (round(_NAMES_WIDTH + width), round(height + _EDGE))
    parts = [
        _SVG.format(*total),
        f'<rect width="100%" height="100%" fill="{_GROUND}"/>',
        f'<svg x="{_NAMES_WIDTH}" width="{width:.1f}" height="{height:.1f}" stroke-width="1.2">',
        *_image(plane.grey, width, height),
        *_outlined(plane, scale),
        "</svg>",
        *_names(plane, scale[1], height),
        *_ends(plane.ends, width, total[1]),
        "</svg>",
    ]
    return Drawing("".join(parts), *total)


def _image(grey: NDArray[np.uint8] | None, width: float, height: float) -> Iterator[str]:
    if grey is None:
        return
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey.T[::-1])).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    yield (
        f'<image width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{content}"/>'
    )


def _outlined(plane: Plane, scale: NDArray[np.float64]) -> Iterator[str]:
    # White is beneath: it shows where the two differ, and nowhere else.
    if plane.ghost is not None:
        for _, path in _paths(plane.ghost, scale):
            yield f'<path fill="none" stroke="{_GHOST}" d="{path}"/>'
    opacity = 0.35 if plane.grey is None else 0.14
    for label, path in _paths(plane.labels, scale):
        yield f'<path fill="{COLOURS[label]}" fill-opacity="{opacity}" stroke="{COLOURS[label]}" d="{path}"/>'


def _paths(labels: NDArray[np.uint8], scale: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
    """Yield each label with its outlines as an SVG path, in pixels from the upper left corner."""
    height = labels.shape[1]
    for label, found in outlines(labels):
        lines = []
        for outline in found:
            across, up = (outline[:-1] + 0.5).T
            points = np.stack([across * scale[0], (height - up) * scale[1]], axis=1)
            lines.append("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points.tolist()) + "Z")
        yield label, "".join(lines)


def _names(plane: Plane, pixels: float, height: float) -> Iterator[str]:
    """Yield each label's name beside it; names that would overlap move apart."""
    least = _LEAST_MM2 / (plane.spacing_mm[0] * plane.spacing_mm[1])
    found = []
    for label in np.unique(plane.labels[plane.labels > 0]).tolist():
        rows = np.nonzero(plane.labels == label)[1]
        if rows.size >= least:
            found.append((height - (float(np.median(rows)) + 0.5) * pixels, label))
    lowest = 0.0
    for middle, label in sorted(found):
        lowest = max(middle, lowest + _LINE_HEIGHT)
        if lowest <= height:
            yield (
                f'<text x="{_NAMES_WIDTH - 4}" y="{lowest + 3.5:.1f}" text-anchor="end" fill="{COLOURS[label]}">'
                f"{vertebra_name(label)}</text>"
            )


def _ends(ends: tuple[str, str], width: float, bottom: int) -> Iterator[str]:
    for text, x, anchor in ((ends[0], _NAMES_WIDTH + 2, "start"), (ends[1], _NAMES_WIDTH + width - 2, "end")):
        yield f'<text x="{x:.1f}" y="{bottom - 4}" text-anchor="{anchor}" fill="{_FAINT}">{text}</text>'
