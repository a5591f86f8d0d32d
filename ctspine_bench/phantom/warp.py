"""Smooth random displacement of labels, as a network misses an outline: a little, and nearby voxels alike."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# (numba compiles the kernels for the types that their typed callers pass)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.kernels.compiling import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


def displaced(
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    rng: np.random.Generator,
    *,
    amplitude_voxels: float,
    smoothness_mm: float,
) -> NDArray[np.uint8]:
    """Labels fetched from randomly displaced places.

    Args:
        labels: `(x, y, z)` uint8.
        spacing_mm: Voxel spacing along x, y, z.
        rng: Of the displacement.
        amplitude_voxels: Root mean square of the displacement along each axis.
        smoothness_mm: Distance over which the displacement changes.

    Returns:
        New labels on the same grid.
    """
    result = np.zeros_like(labels)
    box = bounding_box(labels, margin=int(np.ceil(4 * amplitude_voxels)))
    if box is None:
        return result
    step = smoothness_mm / np.array(spacing_mm)
    shape = [int(np.ceil((part.stop - part.start) / size)) + 2 for part, size in zip(box, step, strict=True)]
    lattice = rng.standard_normal((*shape, 3), dtype=np.float32)
    # linear interpolation between nodes averages; its variance is (2/3)³ of the nodes'
    lattice *= amplitude_voxels * 1.5**1.5
    # views of the crops keep the labels' own memory order
    if labels.flags.f_contiguous and not labels.flags.c_contiguous:
        _fetch(labels[box].T, result[box].T, lattice.transpose(2, 1, 0, 3)[..., ::-1].copy(), step[::-1].copy())
    else:
        _fetch(labels[box], result[box], lattice, step)
    return result


def bounding_box(labels: NDArray[np.uint8], margin: int = 0) -> tuple[slice, slice, slice] | None:
    """The box around all labels, some voxels wider, within the volume; `None` when there are no labels."""
    # along the slowest axis first, so that the other two are looked up in a small part of the volume
    order = np.argsort(labels.strides)[::-1]
    box = [slice(None)] * 3
    for axis in order:
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(labels[tuple(box)].any(axis=others))
        if where.size == 0:
            return None
        box[axis] = slice(int(where[0]), int(where[-1]) + 1)
    first, second, third = (
        slice(max(part.start - margin, 0), min(part.stop + margin, size))
        for part, size in zip(box, labels.shape, strict=True)
    )
    return first, second, third


@kernel
def _fetch(labels, result, lattice, step):
    n0, n1, n2 = labels.shape
    planes = np.empty((lattice.shape[2], 3), np.float32)
    for i in range(n0):
        a = i / step[0]
        ia = int(a)
        fa = np.float32(a - ia)
        for j in range(n1):
            b = j / step[1]
            ib = int(b)
            fb = np.float32(b - ib)
            for node in range(lattice.shape[2]):
                for c in range(3):
                    low = lattice[ia, ib, node, c] * (1 - fb) + lattice[ia, ib + 1, node, c] * fb
                    high = lattice[ia + 1, ib, node, c] * (1 - fb) + lattice[ia + 1, ib + 1, node, c] * fb
                    planes[node, c] = low * (1 - fa) + high * fa
            for k in range(n2):
                d = k / step[2]
                ic = int(d)
                fc = np.float32(d - ic)
                x = int(np.rint(i + planes[ic, 0] * (1 - fc) + planes[ic + 1, 0] * fc))
                y = int(np.rint(j + planes[ic, 1] * (1 - fc) + planes[ic + 1, 1] * fc))
                z = int(np.rint(k + planes[ic, 2] * (1 - fc) + planes[ic + 1, 2] * fc))
                # beyond the border the labels go on as they are at it: what the field of view cuts stays cut
                x, y, z = min(max(x, 0), n0 - 1), min(max(y, 0), n1 - 1), min(max(z, 0), n2 - 1)
                result[i, j, k] = labels[x, y, z]
