"""Structures → voxels: each is drawn within its own bounding box, and each voxel belongs to at most one."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# (numba compiles the kernels for the types that their typed callers pass)

from __future__ import annotations

from dataclasses import astuple
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.kernels.compiling import kernel
from ctspine_bench.phantom.solids import CAPSULE, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ctspine_bench.phantom.solids import Structure
    from ctspine_bench.records import Grid

_BLEND_MM: Final = 2.0  # how softly solids of one structure run into each other
_JOINT_MM: Final = 0.9  # how much nearer to one structure than to its neighbours its voxels are
_FAR: Final = 1e3


@kernel
def _capsule(row, x, y, z):
    px, py, pz = x / row[13] - row[5], y / row[14] - row[6], z / row[15] - row[7]
    bx, by, bz = row[8] - row[5], row[9] - row[6], row[10] - row[7]
    length2 = bx * bx + by * by + bz * bz
    t = 0.0
    if length2 > 0.0:
        t = min(max((px * bx + py * by + pz * bz) / length2, 0.0), 1.0)
    vx, vy, vz = px - t * bx, py - t * by, pz - t * bz
    norm = sqrt(vx * vx + vy * vy + vz * vz)
    radius = row[11] + t * (row[12] - row[11])
    if norm < 1e-6:
        return -radius * min(row[13], row[14], row[15])
    # to first order, the distance is the excess divided by its gradient
    gx, gy, gz = vx / row[13], vy / row[14], vz / row[15]
    return (norm - radius) * norm / sqrt(gx * gx + gy * gy + gz * gz)


@kernel
def _body(row, x, y, z):
    level = min(max(z / row[9], -1.0), 1.0)
    upper = 0.5 + 0.5 * level
    waist = 1.0 - row[10] * (1.0 - level * level)
    u = x / ((row[6] + upper * (row[5] - row[6])) * waist)
    v = y / ((row[8] + upper * (row[7] - row[8])) * waist)
    if v < 0.0:
        v *= 1.0 + row[11] * max(0.0, 1.0 - u * u)
    u2, v2 = u * u, v * v
    r2 = sqrt(u2 * u2 + v2 * v2 + 1.3 * u2 * v2)
    side = -row[8] if r2 < 1e-6 else sqrt(x * x + y * y) * (1.0 - 1.0 / sqrt(r2))
    cap = abs(z) - (row[9] + row[12] * y) * (1.0 - 0.10 * max(0.0, 1.0 - r2))
    # a rounded edge of about one millimetre
    soft = max(1.2 - abs(side - cap), 0.0)
    return max(side, cap) + soft * soft / 4.8


@kernel
def _solid(row, x, y, z):
    return _capsule(row, x, y, z) if row[0] == CAPSULE else _body(row, x, y, z)


@kernel
def _beyond(row, x, y, z):
    dx, dy, dz = x - row[1], y - row[2], z - row[3]
    return sqrt(dx * dx + dy * dy + dz * dz) - row[4]


@kernel
def depth_of(solids, holes, x, y, z):
    """Signed distance from a point to a bone's surface, mm, negative inside; exact to first order near the surface."""
    nearest = _FAR
    for i in range(solids.shape[0]):
        bound = _beyond(solids[i], x, y, z)
        if bound >= nearest + _BLEND_MM:
            continue
        distance = bound if bound > 12.0 else _solid(solids[i], x, y, z)
        soft = max(_BLEND_MM - abs(nearest - distance), 0.0)
        nearest = min(nearest, distance) - soft * soft / (4.0 * _BLEND_MM)
    if nearest < 2.0:
        for i in range(holes.shape[0]):
            nearest = max(nearest, -_solid(holes[i], x, y, z))
    return nearest


@kernel
def _hu(depth, shell_hu, shell_mm, core_hu):
    core = min(max((-depth - shell_mm) / 0.8 + 0.5, 0.0), 1.0)
    return shell_hu + core * (core_hu - shell_hu)


@kernel
def _place(own, i, j, k):
    return (
        own[0, 0] * i + own[0, 1] * j + own[0, 2] * k + own[0, 3],
        own[1, 0] * i + own[1, 1] * j + own[1, 2] * k + own[1, 3],
        own[2, 0] * i + own[2, 1] * j + own[2, 2] * k + own[2, 3],
    )


@kernel
def _depth_beside(depth, neighbours, no_holes, i, j, k):
    # what is nearer to a neighbour is cut off, and a joint space stays between the two
    for own, solids in neighbours:
        if solids.shape[0] > 0:
            x, y, z = _place(own, i, j, k)
            depth = max(depth, 0.5 * (depth - depth_of(solids, no_holes, x, y, z) + _JOINT_MM))
    return depth


@kernel
def _draw(labels, image, label, material, box, own, solids, holes, neighbours, no_holes):
    # Far from the structure, as many voxels of the row are skipped as surely cannot be inside; deep in an organ, as
    # many are filled as surely are.
    step = sqrt(own[0, 0] ** 2 + own[1, 0] ** 2 + own[2, 0] ** 2)
    rim = 0.5 * max(step, sqrt(own[0, 2] ** 2 + own[1, 2] ** 2 + own[2, 2] ** 2))
    fill = label == 0 and neighbours[0][1].shape[0] == 0 and neighbours[1][1].shape[0] == 0
    count = 0
    for k in range(box[0, 2], box[1, 2]):
        for j in range(box[0, 1], box[1, 1]):
            i = box[0, 0]
            while i < box[1, 0]:
                x, y, z = _place(own, i, j, k)
                depth = depth_of(solids, holes, x, y, z)
                deep = -depth - material[1] - 0.5
                if depth > rim:
                    i += max(1, int(0.6 * (depth - rim) / step))
                    continue
                if fill and deep > step:
                    stop = min(box[1, 0], i + 1 + int(0.6 * deep / step))
                    image[i:stop, j, k] = np.int16(material[2])
                    i = stop
                    continue
                depth = _depth_beside(depth, neighbours, no_holes, i, j, k)
                if label > 0 and depth < 0.0:
                    labels[i, j, k] = label
                    count += 1
                if image.size > 0 and depth < rim:
                    share = min(1.0, 0.5 - 0.5 * depth / rim)
                    hu = _hu(min(depth, -0.3 * rim), material[0], material[1], material[2])
                    image[i, j, k] += np.int16(np.rint(share * (hu - image[i, j, k])))
                i += 1
    return count


def draw(
    chain: Sequence[Structure], grid: Grid, labels: NDArray[np.uint8] | None, image: NDArray[np.int16] | None = None
) -> tuple[int, ...]:
    """Draw a chain of structures, each touching at most the one before and the one after.

    Args:
        chain: From the head down. Those with label 0 change the image alone.
        grid: Of the arrays.
        labels: `(x, y, z)`, Fortran order; `None` to draw the image alone.
        image: `(x, y, z)` Hounsfield units, Fortran order; `None` to draw the labels alone.

    Returns:
        The labels that got a voxel, in the order of the chain.
    """
    seen = []
    nothing, nobody = table([]), (np.zeros((3, 4)), table([]))
    voxels = np.zeros((0, 0, 0), np.uint8, order="F") if labels is None else labels
    pixels = np.zeros((0, 0, 0), np.int16, order="F") if image is None else image
    placed = [nobody, *((_own(part, grid), part.solids) for part in chain), nobody]
    for n, part in enumerate(chain):
        label = 0 if labels is None else part.label
        box = np.array(box_of(part, grid))
        if (image is None and label == 0) or (box[0] >= box[1]).any():
            continue
        own, solids = placed[n + 1]
        neighbours = (placed[n], placed[n + 2])
        material = astuple(part.material)
        count = _draw(voxels, pixels, label, material, box, own, solids, part.holes, neighbours, nothing)
        if count > 0:
            seen.append(label)
    return tuple(seen)


def _own(part: Structure, grid: Grid) -> NDArray[np.float64]:
    return part.to_own @ grid.affine


def box_of(part: Structure, grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last-plus-one voxel index, along x, y, z, of a box around a structure, within the grid."""
    spacing, origin = np.array(grid.spacing_mm), grid.affine[:3, 3]
    low, high = ((corner - origin) / spacing for corner in part.bounds_mm())
    return (
        np.maximum(np.floor(low) - 1, 0).astype(np.int64),
        np.minimum(np.ceil(high) + 2, grid.shape).astype(np.int64),
    )
