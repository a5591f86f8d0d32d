"""Random and hand-made label volumes for the tests of the metric engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPACINGS_MM = (
    (1.0, 1.0, 1.0),
    (0.76, 0.76, 1.1),
    (0.9, 0.9, 5.0),
    (2.0, 0.5, 0.5),
    (0.3125, 0.3125, 0.625),
    (1.7, 2.3, 3.1),
    (0.1, 0.1, 4.0),
    (10.0, 0.7, 0.7),
    (0.586, 3.3, 0.586),
)


def random_pair(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A reference and a prediction of one of the kinds below, up to 22 voxels a side."""
    kind = KINDS[rng.integers(len(KINDS))]
    reference, prediction = kind(rng)
    # Both are moved alike, so that every axis gets its turn at the border and in the fastest direction.
    axes = rng.permutation(3)
    flips = tuple(slice(None, None, -1 if flip else None) for flip in rng.integers(0, 2, 3))
    return reference.transpose(axes)[flips], prediction.transpose(axes)[flips]


def _boxes(rng: np.random.Generator, shape: tuple[int, int, int], n: int) -> NDArray[np.uint8]:
    """Boxes of random labels, one over the other; many touch the border."""
    labels = np.zeros(shape, np.uint8)
    for _ in range(n):
        low = [int(rng.integers(0, side)) for side in shape]
        box = tuple(slice(a, int(rng.integers(a + 1, side + 1))) for a, side in zip(low, shape, strict=True))
        labels[box] = rng.integers(1, 6)
    return labels


def boxes(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Unrelated boxes."""
    shape = tuple(int(n) for n in rng.integers(2, 23, 3))
    return _boxes(rng, shape, 4), _boxes(rng, shape, 4)


def moved(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Boxes, and the same moved by a few voxels with some salt on them."""
    shape = tuple(int(n) for n in rng.integers(4, 23, 3))
    reference = _boxes(rng, shape, 5)
    prediction = np.roll(reference, rng.integers(-2, 3, 3), axis=(0, 1, 2))
    prediction[rng.random(shape) < 0.03] = 0
    return reference, prediction


def single_voxels(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Three labels of one voxel each."""
    shape = tuple(int(n) for n in rng.integers(2, 19, 3))
    volumes = np.zeros((2, *shape), np.uint8)
    for volume in volumes:
        volume.reshape(-1)[rng.choice(volume.size, 3, replace=False)] = (1, 2, 25)
    return volumes[0], volumes[1]


def one_slice(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A volume of one slice."""
    shape = (1, *(int(n) for n in rng.integers(1, 20, 2)))
    return _boxes(rng, shape, 3), _boxes(rng, shape, 3)


def one_row(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A volume of one row."""
    shape = (1, 1, int(rng.integers(1, 40)))
    return _boxes(rng, shape, 3), _boxes(rng, shape, 3)


def full(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A reference that fills the volume with one label."""
    shape = tuple(int(n) for n in rng.integers(1, 12, 3))
    return np.full(shape, 1, np.uint8), _boxes(rng, shape, 2)


def noise(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Independent noise of some density with all labels or a few."""
    shape = tuple(int(n) for n in rng.integers(2, 11, 3))
    density, highest = rng.choice([0.02, 0.3, 0.9]), rng.choice([2, 25])
    draw = rng.integers(1, highest + 1, (2, *shape)).astype(np.uint8) * (rng.random((2, *shape)) < density)
    return draw[0], draw[1]


KINDS = (boxes, moved, single_voxels, one_slice, one_row, full, noise)


def far_pair(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Small blobs and stray voxels far apart, up to 100 voxels a side: nothing is within reach of the near search."""
    shape = tuple(int(n) for n in rng.integers(40, 101, 3))
    volumes = np.zeros((2, *shape), np.uint8)
    for volume in volumes:
        for label in (1, 2):
            for _ in range(int(rng.integers(1, 4))):
                at = [int(rng.integers(0, side - 3)) for side in shape]
                volume[tuple(slice(a, a + int(rng.integers(1, 4))) for a in at)] = label
    return volumes[0], volumes[1]


def column(n_vertebrae: int = 5, first: int = 18) -> NDArray[np.uint8]:
    """`(12, 12, 6 n + 4)` labels: a stack of boxes, 5 slices high and a slice apart, the first label on top."""
    labels = np.zeros((12, 12, 6 * n_vertebrae + 4), np.uint8)
    for i in range(n_vertebrae):
        top = labels.shape[2] - 3 - 6 * i
        labels[2:10, 2:10, top - 5 : top] = first + i
    return labels


def ball(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], centre_mm: NDArray, radius_mm: float
) -> NDArray[np.bool_]:
    """The voxels whose centres lie within a ball; positions in mm from the centre of the first voxel."""
    axes = [np.arange(n) * mm - c for n, mm, c in zip(shape, spacing_mm, centre_mm, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    return x**2 + y**2 + z**2 <= radius_mm**2


def perturbed(labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy as a network might return it: eroded or grown a little, a stray blob, one vertebra cut in half."""
    result = np.where(ndimage.binary_erosion(labels > 0), labels, 0).astype(np.uint8)
    grown = ndimage.grey_dilation(labels, size=(3, 3, 3))
    keep = rng.random(labels.shape) < 0.3
    result[keep & (result == 0)] = grown[keep & (result == 0)]
    present = np.unique(labels[labels > 0])
    middle = int(present[present.size // 2])
    where = np.argwhere(result == middle)
    result[tuple(where[where[:, 0] > where[:, 0].mean()].T)] = 0
    result[2:5, 2:5, 2:5] = present[0]
    return result
