"""Labels → outlines in a plane and surfaces in space."""

# mypy: disable-error-code="no-untyped-call"
# (scikit-image announces types but leaves some calls without)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import find_objects, gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STEP_MM: Final = 2.0
"""Distance between the points of a surface: fine enough for a spinous process, and drawn at once."""

_HALF: Final = 0.5
_MARGIN: Final = 2
_ROUNDING: Final = 1e-6
# More are no spine, and bring a browser to its knees.
_MOST_FACES: Final = 400_000


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of one label.

    Attributes:
        label: 1–25.
        vertices_mm: `(n, 3)` float32, along x, y, z from the centre of the first voxel.
        faces: `(m, 3)` indices of the corners of each triangle.
    """

    label: int
    vertices_mm: NDArray[np.float32]
    faces: NDArray[np.int32]


def outlines(labels: NDArray[np.uint8]) -> Iterator[tuple[int, list[NDArray[np.float64]]]]:
    """Yield each label of a plane with its closed outlines, halfway between the voxels inside and outside.

    Args:
        labels: `(rows, columns)`.

    Yields:
        The label, and its outlines: `(n, 2)` rows and columns, from the centre of the first voxel, without the points
        on straight lines.
    """
    from skimage.measure import find_contours

    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        mask = np.pad(labels[box] == label, 1)
        corner = [part.start - 1 for part in box]
        yield label, [_corners(found) + corner for found in find_contours(mask.astype(np.float64), _HALF)]


def surfaces(labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> list[Surface] | None:
    """Return the surface of each label, smoothed and on a grid of about `STEP_MM`; `None` for what is all specks.

    Args:
        labels: `(x, y, z)`.
        spacing_mm: Along x, y, z.
    """
    found: list[Surface] = []
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        corner_mm = [part.start * spacing for part, spacing in zip(box, spacing_mm, strict=True)]
        found.append(_surface(label, labels[box] == label, np.array(spacing_mm), np.array(corner_mm)))
        if sum(len(surface.faces) for surface in found) > _MOST_FACES:
            return None
    return found


def _surface(
    label: int, mask: NDArray[np.bool_], spacing_mm: NDArray[np.float64], corner_mm: NDArray[np.float64]
) -> Surface:
    from skimage.measure import marching_cubes

    block = np.maximum(np.floor(STEP_MM / spacing_mm + _ROUNDING), 1).astype(int)
    step_mm = block * spacing_mm
    shares = _block_means(mask, block)
    # Half a step of blur takes the stairs away and leaves thin processes standing.
    smooth = gaussian_filter(shares, 0.5 * STEP_MM / step_mm, mode="constant")
    level = min(_HALF, 0.5 * float(smooth.max()))  # of a speck, blurring leaves less than a half
    vertices, faces, _, _ = marching_cubes(smooth, level, spacing=tuple(step_mm))
    # The centre of a block lies between those of its voxels; the first two blocks are margin.
    first_mm = corner_mm + (block - 1) / 2 * spacing_mm - _MARGIN * step_mm
    return Surface(label, (vertices + first_mm).astype(np.float32), faces.astype(np.int32))


def _block_means(mask: NDArray[np.bool_], block: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the share of each block of voxels that is in the mask, with a margin of empty blocks."""
    n_blocks = -(-np.array(mask.shape) // block)
    padded = np.zeros(n_blocks * block, np.float32)
    padded[tuple(slice(n) for n in mask.shape)] = mask
    (x, y, z), (i, j, k) = n_blocks.tolist(), block.tolist()
    return np.pad(padded.reshape(x, i, y, j, z, k).mean(axis=(1, 3, 5)), _MARGIN)


def _corners(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed outline without the points at which it goes straight on."""
    step = np.diff(outline, axis=0)
    before, after = step[:-1], step[1:]
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    keep: NDArray[np.float64] = outline[np.concatenate([[True], turns, [True]])]
    return keep
