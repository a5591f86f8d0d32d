"""The CT image: a trunk in air, everything in it, averaged over the slice thickness, with noise."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# (numba compiles the kernels for the types that their typed callers pass)

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter

from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.kernels.compiling import kernel
from ctspine_bench.phantom.organs import surroundings
from ctspine_bench.phantom.rasterise import draw
from ctspine_bench.records import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.phantom.solids import Structure
    from ctspine_bench.phantom.spine import Spine

_AIR_HU: Final = -1000
_NOISE_HU: Final = 16.0
_NOISE_SLAB: Final = 16

# Half width and half depth of the trunk, and how far its back lies behind the spine, by vertebra, mm; the first two
# rows are so far above C1.
_OUTLINE: Final = (
    (160.0, (30.0, 40.0, 60.0)),
    (90.0, (80.0, 98.0, 86.0)),
    ("C1", (76.0, 88.0, 80.0)),
    ("C4", (62.0, 66.0, 58.0)),
    ("C7", (110.0, 72.0, 62.0)),
    ("T2", (172.0, 88.0, 66.0)),
    ("T6", (166.0, 104.0, 72.0)),
    ("T10", (158.0, 108.0, 78.0)),
    ("L1", (152.0, 106.0, 84.0)),
    ("L4", (156.0, 106.0, 88.0)),
    ("S2", (172.0, 108.0, 84.0)),
)


def make_image(
    spine: Spine, bones: Sequence[Structure], grid: Grid, rng: np.random.Generator, *, colon_gas: bool
) -> NDArray[np.int16]:
    """Make the CT image of a person.

    Args:
        spine: Gives the places of everything else.
        bones: The chain of vertebrae and sacral segments to draw.
        grid: The voxel grid.
        rng: Of the details of the organs, and of the noise.
        colon_gas: Whether the colon and the stomach are filled with air.

    Returns:
        `(x, y, z)` int16 Hounsfield units, Fortran order.
    """
    # A thick slice averages over its thickness: drawn thin, then averaged.
    spacing = grid.spacing_mm
    thin = max(1, round(spacing[2] / spacing[0]))
    fine = _thin_slices(grid, thin)
    image = np.empty(fine.shape, np.int16, order="F")
    _fill_trunk(image, _outline(spine, fine), *_axes(fine))
    for structure in surroundings(spine, rng, colon_gas=colon_gas):
        draw([structure], fine, None, image)
    draw(bones, fine, None, image)
    return _scanned(image, thin, rng)


def _thin_slices(grid: Grid, thin: int) -> Grid:
    step = np.diag([1.0, 1.0, 1.0 / thin, 1.0])
    step[2, 3] = (1 / thin - 1) / 2
    return Grid((*grid.shape[:2], grid.shape[2] * thin), grid.affine @ step)


def _axes(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = (grid.affine[n, 3] + grid.affine[n, n] * np.arange(grid.shape[n]) for n in (0, 1))
    return x, y


def _outline(spine: Spine, grid: Grid) -> tuple[NDArray[np.float64], ...]:
    # Middle x, middle y, half width and half depth of the trunk, of every slice.
    rows = []
    for where, (width, depth, back) in _OUTLINE:
        if isinstance(where, float):
            x, y, z = spine.vertebrae[0].to_world[:, 3] + (0, 0, where)
        elif where == "S2":
            x, y, z = spine.sacrum[1].to_world[:, 3]
        else:
            x, y, z = spine.bone(vertebra_label(where)).to_world[:, 3]
        rows.append((z, x, y - back + depth, width, depth))
    z, *columns = np.array(rows)[::-1].T
    heights = grid.affine[2, 3] + grid.affine[2, 2] * np.arange(grid.shape[2])
    return tuple(np.interp(heights, z, column) for column in columns)


@kernel
def _fill_trunk(image, outline, xs, ys):
    # Skin, fat that is thicker in front, muscle; the table of the scanner is a thin curved board under the back.
    middle_x, middle_y, width, depth = outline
    board = middle_y[0] - depth[0] - 34.0
    for k in range(image.shape[2]):
        for j in range(image.shape[1]):
            v = (ys[j] - middle_y[k]) / depth[k]
            v2 = v * v
            # a point is within a share s of the outline where its fourth-order radius is below s⁴
            skin, fat = (1.0 - 2.0 / depth[k]) ** 4, (1.0 - (13.0 + 6.0 * v) / depth[k]) ** 4
            for i in range(image.shape[0]):
                u = (xs[i] - middle_x[k]) / width[k]
                u2 = u * u
                r4 = u2 * u2 + v2 * v2 + 1.5 * u2 * v2
                if r4 < fat:
                    image[i, j, k] = 52
                elif r4 < skin:
                    image[i, j, k] = -105
                elif r4 < 1.0:
                    image[i, j, k] = 20
                else:
                    rise = 0.0008 * (xs[i] - middle_x[0]) ** 2
                    image[i, j, k] = -200 if abs(ys[j] - board - rise) < 3.0 else _AIR_HU


def _scanned(image: NDArray[np.int16], thin: int, rng: np.random.Generator) -> NDArray[np.int16]:
    x, y, z = image.shape
    result = np.empty((x, y, z // thin), np.int16, order="F")
    for start in range(0, z // thin, _NOISE_SLAB):
        stop = min(start + _NOISE_SLAB, z // thin)
        slab = image[:, :, start * thin : stop * thin].astype(np.float32)
        slab = slab.reshape(x, y, stop - start, thin).mean(axis=3) if thin > 1 else slab
        slab += rng.standard_normal(slab.shape[::-1], dtype=np.float32).T * np.float32(_NOISE_HU / 0.46)
        # the reconstruction kernel: 0.6 voxels leave 0.46 of white noise
        gaussian_filter(slab, (0.6, 0.6, 0), output=slab, truncate=3)
        result[:, :, start:stop] = np.rint(np.clip(slab, -1024, 3071))
    return result
