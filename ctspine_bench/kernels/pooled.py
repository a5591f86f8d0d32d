"""The other HD95: voxel shells, both directions pooled, interpolated percentile.

This is what medpy's `hd95` computes and nnU-Net v1 reported; it is opt-in, and slow by comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hd95_pooled_mm(
    reference: NDArray[np.bool_], prediction: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> float:
    """Return the 95th percentile of the distances between the shell voxels of two masks, neither of them empty.

    A shell voxel is one with a background voxel (or the border of the volume) across a face.
    """
    from scipy import ndimage  # slow to import, and this metric is opt-in

    box = tuple(
        slice(int(occupied[0]), int(occupied[-1]) + 1)
        for occupied in (np.flatnonzero((reference | prediction).any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    )
    shells = []
    for mask in (reference, prediction):
        inside = np.pad(mask[box], 1)
        shells.append(inside & ~ndimage.binary_erosion(inside))
    distances = [
        ndimage.distance_transform_edt(~other, sampling=spacing_mm)[shell] for shell, other in (shells, shells[::-1])
    ]
    return float(np.percentile(np.concatenate(distances), 95))
