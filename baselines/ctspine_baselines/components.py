"""The largest component of each vertebra: the post-processing variant of every recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def largest_components(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return labels with everything but the largest component of each turned to background.

    Voxels belong together when they share a face, an edge or a corner, as in nnU-Net's own post-processing. Of
    components of the same size, the first in the order of the array stays.

    Args:
        labels: `(x, y, z)`, 0 is background.
    """
    result = np.zeros_like(labels)
    together = np.ones((3, 3, 3), dtype=bool)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        components, count = ndimage.label(labels[box] == label, structure=together)
        largest = 1 if count == 1 else 1 + int(np.argmax(np.bincount(components.ravel())[1:]))
        result[box][components == largest] = label
    return result
