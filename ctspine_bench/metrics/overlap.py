"""Dice similarity coefficient and volumes, from the voxel counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ctspine_bench.anatomy import BACKGROUND, SPINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.records import Comparison

FOUND_DSC: Final = 0.1
"""What has a smaller DSC is not found: a few voxels are no outline."""


def voxel_counts(comparison: Comparison, key: int) -> tuple[int, int, int]:
    """Return the voxels of a label (or of the spine, key 0) in the reference, in the prediction, and in both."""
    confusion = comparison.confusion
    if key == SPINE:
        total = confusion.sum()
        return (
            int(total - confusion[BACKGROUND].sum()),
            int(total - confusion[:, BACKGROUND].sum()),
            int(confusion[1:, 1:].sum()),
        )
    return int(confusion[key].sum()), int(confusion[:, key].sum()), int(confusion[key, key])


def dsc(comparison: Comparison, key: int) -> float | None:
    """Return 2|A∩B| / (|A| + |B|); `None` when both are empty."""
    reference, prediction, both = voxel_counts(comparison, key)
    return 2 * both / (reference + prediction) if reference + prediction else None


def dsc_matrix(comparison: Comparison) -> NDArray[np.float64]:
    """Return the `(25, 25)` DSC of every reference label with every predicted label; 0 where either is empty."""
    reference, prediction, both = _pairwise(comparison)
    matrix: NDArray[np.float64] = 2 * both / np.maximum(reference + prediction, 1)
    return matrix


def iou_matrix(comparison: Comparison) -> NDArray[np.float64]:
    """Return the `(25, 25)` intersection over union of every reference label with every predicted label."""
    reference, prediction, both = _pairwise(comparison)
    matrix: NDArray[np.float64] = both / np.maximum(reference + prediction - both, 1)
    return matrix


def _pairwise(comparison: Comparison) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    confusion = comparison.confusion
    return confusion.sum(axis=1)[1:, None], confusion.sum(axis=0)[None, 1:], confusion[1:, 1:]


def present_labels(comparison: Comparison) -> tuple[list[int], list[int]]:
    """Return the labels in the reference and those in the prediction, ascending."""
    reference, prediction = (comparison.confusion.sum(axis=axis)[1:] for axis in (1, 0))
    return [int(i) + 1 for i in np.flatnonzero(reference)], [int(i) + 1 for i in np.flatnonzero(prediction)]
