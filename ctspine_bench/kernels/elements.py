"""Surface elements of every label, and of the whole spine, in one pass over a label array.

An element sits at a voxel corner whose 2×2×2 neighbourhood is partly inside the mask; the corner with index (i, j, k)
is the low corner of voxel (i, j, k). Outside the volume is background, so a mask that touches the border has a surface
there. Key 0 stands for the spine: every voxel that is not background.

An element is one 64-bit word: bits 0–15, 16–31 and 32–47 are its corner index along x, y and z, bits 48–55 its class
(elements of one class have one area), bits 56–63 its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench.kernels.compiling import kernel
from ctspine_bench.kernels.words import EACH_BYTE, load_word_within, zero_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ctspine_bench.kernels.layout import Axes

MOST_PER_VOXEL = 8
"""A mask has at most this many elements for each of its voxels: one at each corner."""


def count_elements(labels: NDArray[np.uint8], spans: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the `(256,)` number of surface elements of each key in a C-contiguous label array."""
    no_room = np.empty(0, np.uint64)
    counts: NDArray[np.int64] = _walk(
        labels, spans, np.ones(256, bool), np.zeros(256, np.uint8), np.zeros(3, np.uint64), no_room
    )
    return counts


def extract_elements(
    labels: NDArray[np.uint8],
    spans: NDArray[np.int32],
    keys: Iterable[int],
    axes: Axes,
    class_of_code: NDArray[np.uint8],
    room: int,
) -> dict[int, NDArray[np.uint64]]:
    """Return the surface elements of some keys.

    Args:
        labels: `(slices, rows, columns)` C-contiguous labels.
        spans: First and one-past-last occupied column of each row, as `scan_overlap` gives them.
        keys: Which labels; 0 for the spine.
        axes: Which of x, y, z the slices, rows and columns are.
        class_of_code: `(256,)` class of the element by which of the eight voxels are inside: bit
            `4·slice + 2·row + column` (0 low, 1 high).
        room: How many elements there may be at most; memory is taken only for those that there are.
    """
    wanted = np.zeros(256, bool)
    wanted[list(keys)] = True
    found = np.empty(room, np.uint64)
    counts = _walk(labels, spans, wanted, class_of_code, 16 * np.array(axes, np.uint64), found)
    ends = np.cumsum(counts)
    grouped = _group(found[: ends[-1]], ends - counts)
    return {key: grouped[ends[key] - counts[key] : ends[key]] for key in keys}


@kernel
def _group(found, starts):
    """Sort elements by key, keeping their order within a key."""
    grouped = np.empty_like(found)
    for i in range(found.size):
        key = found[i] >> np.uint64(56)
        grouped[starts[key]] = found[i]
        starts[key] += 1
    return grouped


@kernel
def _walk(labels, spans, wanted, class_of_code, shifts, found):
    """Store the elements of the wanted keys in the order they are met; without room, only count them by key."""
    counts = np.zeros(256, np.int64)
    n_found = 0
    n_slices, n_rows, n_columns = labels.shape
    flat = labels.reshape(-1)
    for s in range(n_slices + 1):
        for r in range(n_rows + 1):
            # The four rows of voxels around this row of corners; those outside the volume are empty.
            rows = (
                _row(s - 1, r - 1, n_slices, n_rows),
                _row(s - 1, r, n_slices, n_rows),
                _row(s, r - 1, n_slices, n_rows),
                _row(s, r, n_slices, n_rows),
            )
            first = n_columns
            end = 0
            for row in rows:
                if row >= 0:
                    first = min(first, spans[row, 0])
                    end = max(end, spans[row, 1])
            if first < end:
                corner = np.uint64(s) << shifts[0] | np.uint64(r) << shifts[1]
                n_found = _walk_row(
                    flat, rows, n_columns, first, end, corner, shifts[2], wanted, class_of_code, counts, found, n_found
                )
    return counts


@kernel(forceinline=True)
def _row(s, r, n_slices, n_rows):
    return s * n_rows + r if 0 <= s < n_slices and 0 <= r < n_rows else -1


@kernel
def _walk_row(flat, rows, n_columns, first, end, corner, column_shift, wanted, class_of_code, counts, found, n_found):
    """Visit the corners first … end of one row of corners, eight at a time; return how many elements there are now."""
    byte = np.uint64(8)
    last = np.uint64(56)
    before_a = before_b = before_d = before_e = uneven_before = np.uint64(0)
    for c in range(first, end + 1, 8):
        a = _load(flat, rows[0], n_columns, c)
        b = _load(flat, rows[1], n_columns, c)
        d = _load(flat, rows[2], n_columns, c)
        e = _load(flat, rows[3], n_columns, c)
        # The voxels one column lower, so that byte k of the eight words is the neighbourhood of corner c + k.
        low_a, low_b = a << byte | before_a >> last, b << byte | before_b >> last
        low_d, low_e = d << byte | before_d >> last, e << byte | before_e >> last
        uneven = (a ^ b) | (a ^ d) | (a ^ e)
        mixed = uneven | uneven << byte | uneven_before >> last | (a ^ low_a)
        before_a, before_b, before_d, before_e, uneven_before = a, b, d, e, uneven
        while mixed:
            k = _lowest_byte(mixed)
            shift = np.uint64(8 * k)
            mixed &= ~(np.uint64(255) << shift)
            word = _pack(low_a, low_b, low_d, low_e, shift) | _pack(a, b, d, e, shift) << byte
            at = corner | np.uint64(c + k) << column_shift
            # First the spine, then each label among the eight voxels. Written out here: a call would cost more.
            inside = 255 - zero_bytes(word)
            key = np.int64(0)
            code = inside
            while True:
                if 0 < code < 255 and wanted[key]:
                    counts[key] += 1
                    if n_found < found.size:
                        found[n_found] = (
                            at | np.uint64(class_of_code[code]) << np.uint64(48) | np.uint64(key) << np.uint64(56)
                        )
                    n_found += 1
                if inside == 0:
                    break
                label = word >> np.uint64(8 * _lowest_bit(inside)) & np.uint64(255)
                key = np.int64(label)
                code = zero_bytes(word ^ (label * EACH_BYTE))
                inside &= ~code
    return n_found


@kernel(forceinline=True)
def _lowest_bit(code):
    """Return the index of the lowest set bit of a code 1–255."""
    lowest = code & -code
    return ((lowest > 15) << 2) + ((lowest & 0xCC > 0) << 1) + (lowest & 0xAA > 0)


@kernel(forceinline=True)
def _lowest_byte(word):
    """Return the index of the lowest byte of a word that is not zero."""
    return _lowest_bit(255 - zero_bytes(word))


@kernel(forceinline=True)
def _load(flat, row, n_columns, c):
    if row < 0:
        return np.uint64(0)
    start = row * n_columns
    return load_word_within(flat, start + c, start + n_columns)


@kernel(forceinline=True)
def _pack(a, b, c, d, shift):
    """Put one byte of each of four words into bytes 0, 2, 4 and 6."""
    byte = np.uint64(255)
    return (
        (a >> shift & byte)
        | (b >> shift & byte) << np.uint64(16)
        | (c >> shift & byte) << np.uint64(32)
        | (d >> shift & byte) << np.uint64(48)
    )
