"""One pass over two label arrays: which label meets which, how often, and where each label lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ctspine_bench.kernels.compiling import kernel
from ctspine_bench.kernels.words import EACH_BYTE, load_word

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Overlap(NamedTuple):
    """Counts and positions by voxel value 0–255; side 0 is the reference, 1 the prediction; axes in memory order.

    Attributes:
        confusion: `(256, 256)` voxel counts `[reference, prediction]`, without voxels that are 0 in both.
        index_sums: `(2, 256, 3)` sum of the voxel indices of each value.
        lowest: `(2, 256, 3)` smallest index of each value; larger than `highest` where it is absent.
        highest: `(2, 256, 3)` largest index of each value, −1 where it is absent.
        spans: `(2, slices * rows, 2)` first and one-past-last occupied column of each row; `(columns, 0)` if none.
    """

    confusion: NDArray[np.int64]
    index_sums: NDArray[np.int64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    spans: NDArray[np.int32]


def scan_overlap(reference: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> Overlap:
    """Count label pairs and locate labels in two C-contiguous `(slices, rows, columns)` arrays."""
    return Overlap(*_scan(reference.reshape(-1), prediction.reshape(-1), *reference.shape))


@kernel
def _scan(reference, prediction, n_slices, n_rows, n_columns):
    confusion = np.zeros((256, 256), np.int64)
    index_sums = np.zeros((2, 256, 3), np.int64)
    lowest = np.full((2, 256, 3), np.iinfo(np.int64).max, np.int64)
    highest = np.full((2, 256, 3), -1, np.int64)
    spans = np.empty((2, n_slices * n_rows, 2), np.int32)
    spans[:, :, 0] = n_columns
    spans[:, :, 1] = 0
    for row in range(n_slices * n_rows):
        start = row * n_columns
        end = start + n_columns
        i = start
        while i < end:
            # Nearly everything is background: skip it eight voxels at a time.
            while i + 8 <= end and load_word(reference, i) | load_word(prediction, i) == 0:
                i += 8
            while i < end and reference[i] == 0 and prediction[i] == 0:
                i += 1
            if i == end:
                break
            r = reference[i]
            p = prediction[i]
            j = _end_of_run(reference, prediction, i, end)
            confusion[r, p] += j - i
            position = (row // n_rows, row % n_rows, i - start, j - start)
            if r:
                _add_run(index_sums[0], lowest[0], highest[0], spans[0], row, r, position)
            if p:
                _add_run(index_sums[1], lowest[1], highest[1], spans[1], row, p, position)
            i = j
    return confusion, index_sums, lowest, highest, spans


@kernel(forceinline=True)
def _end_of_run(reference, prediction, i, end):
    """Return the end of the run of equal value pairs that starts at i."""
    r = reference[i]
    p = prediction[i]
    r_word = np.uint64(r) * EACH_BYTE
    p_word = np.uint64(p) * EACH_BYTE
    j = i + 1
    while j + 8 <= end and load_word(reference, j) == r_word and load_word(prediction, j) == p_word:
        j += 8
    while j < end and reference[j] == r and prediction[j] == p:
        j += 1
    return j


@kernel(forceinline=True)
def _add_run(index_sums, lowest, highest, spans, row, value, position):
    s, r, first, end = position
    n = end - first
    index_sums[value, 0] += n * s
    index_sums[value, 1] += n * r
    index_sums[value, 2] += n * (first + end - 1) // 2
    for axis, low, high in ((0, s, s), (1, r, r), (2, first, end - 1)):
        lowest[value, axis] = min(lowest[value, axis], low)
        highest[value, axis] = max(highest[value, axis], high)
    spans[row, 0] = min(spans[row, 0], first)
    spans[row, 1] = max(spans[row, 1], end)
