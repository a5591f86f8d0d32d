"""Whether two label maps lie on the same grid, and how to bring one onto the grid of another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.records import Grid, LabelVolume

_MAX_SHIFT_VOXELS: Final = 0.1
_NOTED_SHIFT_MM: Final = 1e-3


def check_same_grid(reference: LabelVolume, prediction: LabelVolume) -> tuple[str, ...]:
    """Check that both label maps have the same shape and, within 0.1 voxel at the corners, the same place.

    Returns:
        A note when the corners differ by more than 0.001 mm, else nothing.

    Raises:
        GeometryError: `E_SHAPE`, `E_AFFINE`; with the path of the prediction and both geometries.
    """
    if reference.grid.shape != prediction.grid.shape:
        raise _error("E_SHAPE", reference, prediction, "")
    gaps_mm = np.linalg.norm(reference.grid.corners_mm() - prediction.grid.corners_mm(), axis=1)
    gap_mm = float(gaps_mm.max())
    gap_voxels = gap_mm / min(reference.grid.spacing_mm)
    if gap_voxels >= _MAX_SHIFT_VOXELS:
        raise _error("E_AFFINE", reference, prediction, f"; corners {gap_mm:.4g} mm ({gap_voxels:.3g} voxels) apart")
    if gap_mm > _NOTED_SHIFT_MM:
        return (
            f"its grid differs by {gap_mm:.4f} mm ({gap_voxels:.3f} voxels) at a corner from that of the reference",
        )
    return ()


def resample_nearest(volume: LabelVolume, grid: Grid) -> LabelVolume:
    """Bring a label map onto another grid by nearest neighbour; what lies outside it becomes background.

    Args:
        volume: The label map; its notes gain a sentence.
        grid: The grid to bring it onto, RAS.
    """
    to_source = np.linalg.inv(volume.grid.affine) @ grid.affine
    parallel = np.allclose(to_source[:3, :3], np.diag(np.diag(to_source)[:3]), atol=1e-9)
    resample = _resample_parallel if parallel else _resample_oblique
    note = f"resampled by nearest neighbour from {describe(volume.grid)}"
    return replace(
        volume, labels=resample(volume.labels, to_source, grid.shape), grid=grid, notes=(*volume.notes, note)
    )


def describe(grid: Grid) -> str:
    """A grid in words: shape, spacing, origin, direction."""
    shape = "×".join(map(str, grid.shape))
    spacing = "×".join(f"{length:.5g}" for length in grid.spacing_mm)
    origin = ", ".join(f"{position:.5g}" for position in grid.affine[:3, 3])
    cosine = float((np.diag(grid.affine)[:3] / np.array(grid.spacing_mm)).min())
    tilt = np.degrees(np.arccos(min(cosine, 1.0)))
    direction = "RAS" if tilt < 0.01 else f"RAS tilted by up to {tilt:.2f}°"
    return f"{shape} voxels of {spacing} mm, first voxel at ({origin}) mm, {direction}"


def _resample_parallel(
    labels: NDArray[np.uint8], to_source: NDArray[np.float64], shape: tuple[int, int, int]
) -> NDArray[np.uint8]:
    resampled = np.zeros(shape, np.uint8, order="F")
    index, inside = [], []
    for axis, length in enumerate(shape):
        nearest = _nearest(to_source[axis, axis] * np.arange(length) + to_source[axis, 3])
        hits = np.flatnonzero((nearest >= 0) & (nearest < labels.shape[axis]))
        if hits.size == 0:
            return resampled
        index.append(nearest[hits])
        inside.append(slice(hits[0], hits[-1] + 1))
    for z, k in zip(range(inside[2].start, inside[2].stop), index[2], strict=True):
        # Transposed because both arrays are usually stored with x fastest.
        resampled[inside[0], inside[1], z].T[:] = labels[:, :, k].T.take(index[1], axis=0).take(index[0], axis=1)
    return resampled


def _resample_oblique(
    labels: NDArray[np.uint8], to_source: NDArray[np.float64], shape: tuple[int, int, int]
) -> NDArray[np.uint8]:
    x, y = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    resampled = np.zeros(shape, np.uint8, order="F")
    for z in range(shape[2]):  # slice by slice keeps the coordinates small
        index = [_nearest(row[0] * x + row[1] * y + (row[2] * z + row[3])) for row in to_source[:3]]
        bounds = zip(index, labels.shape, strict=True)
        inside = np.logical_and.reduce([(i >= 0) & (i < length) for i, length in bounds])
        i, j, k = (axis_index[inside] for axis_index in index)
        resampled[:, :, z][inside] = labels[i, j, k]
    return resampled


def _nearest(coordinates: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.floor(coordinates + 0.5).astype(np.intp)


def _error(code: str, reference: LabelVolume, prediction: LabelVolume, detail: str) -> GeometryError:
    return GeometryError(
        code,
        prediction.path,
        expected=f"the grid of {reference.path}: {describe(reference.grid)}",
        found=f"{describe(prediction.grid)}{detail}",
        advice="Write the prediction on the grid of the CT image; plain `score` can do that with `--resample nearest`.",
    )
