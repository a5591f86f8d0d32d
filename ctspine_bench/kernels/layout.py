"""Two label arrays with any strides → two C-contiguous arrays in one memory order, without copying where possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Axes = tuple[int, int, int]
Flips = tuple[bool, bool, bool]


class SharedLayout(NamedTuple):
    """A reference and a prediction in one memory order.

    Attributes:
        reference: `(slices, rows, columns)` C-contiguous uint8.
        prediction: The same voxels of the prediction, C-contiguous uint8.
        axes: Which of x, y, z (0, 1, 2) the slices, rows and columns are.
        flipped: Whether that memory axis runs against the original index.
    """

    reference: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    axes: Axes
    flipped: Flips


def share_layout(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> SharedLayout:
    """Bring two `(x, y, z)` arrays of one shape into the memory order of the reference.

    Both are returned as views when they are stored alike, which files written by one tool are. Otherwise the
    prediction's occupied box alone is copied.
    """
    axes, flipped = _memory_order(reference)
    ordered_reference = _reorder(reference, axes, flipped)
    ordered_prediction = _reorder(prediction, axes, flipped)
    if not ordered_prediction.flags.c_contiguous:
        ordered_prediction = _copy_occupied(ordered_prediction)
    return SharedLayout(np.ascontiguousarray(ordered_reference), ordered_prediction, axes, flipped)


def _memory_order(array: NDArray[np.uint8]) -> tuple[Axes, Flips]:
    """Return the axes from the slowest to the fastest in memory, and which of them run backwards."""
    # An axis of one voxel may have any stride; it sorts first by its index to keep the order stable.
    a, b, c = sorted(range(3), key=lambda axis: (-abs(array.strides[axis]) if array.shape[axis] > 1 else -np.inf, axis))
    flip_a, flip_b, flip_c = (array.strides[axis] < 0 for axis in (a, b, c))
    return (a, b, c), (flip_a, flip_b, flip_c)


def _reorder(array: NDArray[np.uint8], axes: Axes, flipped: Flips) -> NDArray[np.uint8]:
    flips = tuple(slice(None, None, -1) if flip else slice(None) for flip in flipped)
    return array.transpose(axes)[flips]


def _copy_occupied(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Copy to C order, touching only the box that holds labels: a transposing copy of empty space is slow."""
    fastest_first = array.transpose(_memory_order(array)[0])
    box = [slice(0, 0)] * 3
    for position, axis in enumerate(_memory_order(array)[0]):
        others = tuple(other for other in range(3) if other != position)
        occupied = np.flatnonzero(fastest_first.any(axis=others))
        box[axis] = slice(int(occupied[0]), int(occupied[-1]) + 1) if occupied.size else slice(0, 0)
    copy = np.zeros(array.shape, np.uint8)
    copy[tuple(box)] = array[tuple(box)]
    return copy
