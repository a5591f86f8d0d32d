"""Surface elements of every label, and of the whole spine, in one pass over a label array.

An element sits at a voxel corner whose 2×2×2 neighbourhood is partly inside the mask; the corner with index (i, j, k)
is the low corner of voxel (i, j, k). Outside the volume is background, so a mask that touches the border has a surface
there. Key 0 stands for the spine: every voxel that is not background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from ctspine_bench.kernels.words import EACH_BYTE, load_word_within, zero_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


class Elements(NamedTuple):
    """Surface elements of some masks, one mask after the other.

    Attributes:
        start: `(257,)` key → index of its first element; its last comes before `start[key + 1]`.
        corners: `(3, n)` corner index along slices, rows, columns.
        codes: `(n,)` which of the eight voxels are inside: bit `4·slice + 2·row + column` (0 low, 1 high).
    """

    start: NDArray[np.int64]
    corners: NDArray[np.uint16]
    codes: NDArray[np.uint8]

    def of(self, key: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Return the `(3, n)` corners and `(n,)` codes of one mask."""
        part = slice(self.start[key], self.start[key + 1])
        return self.corners[:, part], self.codes[part]


def count_elements(labels: NDArray[np.uint8], spans: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the `(256,)` number of surface elements of each key in a C-contiguous label array."""
    cursor = np.zeros(256, np.int64)
    _walk(labels, spans, cursor, np.empty((3, 0), np.uint16), np.empty(0, np.uint8))
    return cursor


def extract_elements(
    labels: NDArray[np.uint8], spans: NDArray[np.int32], counts: NDArray[np.int64], keys: Iterable[int]
) -> Elements:
    """Return the surface elements of some keys, given the counts of all."""
    wanted = np.zeros(256, bool)
    wanted[list(keys)] = True
    start = np.concatenate(([0], np.cumsum(np.where(wanted, counts, 0))))
    corners = np.empty((3, start[-1]), np.uint16)
    codes = np.empty(start[-1], np.uint8)
    _walk(labels, spans, np.where(wanted, start[:-1], -1), corners, codes)
    return Elements(start, corners, codes)


@njit(cache=True, nogil=True)
def _walk(labels, spans, cursor, corners, codes):
    """Visit every element; store it where the cursor of its key points, or only count when there is no room at all."""
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
                _walk_row(flat, rows, n_columns, first, end, s, r, cursor, corners, codes)


@njit(cache=True, nogil=True, forceinline=True)
def _row(s, r, n_slices, n_rows):
    return s * n_rows + r if 0 <= s < n_slices and 0 <= r < n_rows else -1


@njit(cache=True, nogil=True)
def _walk_row(flat, rows, n_columns, first, end, s, r, cursor, corners, codes):
    """Visit the corners first … end of one row of corners, eight at a time."""
    byte = np.uint64(8)
    last = np.uint64(56)
    before_a = before_b = before_c = before_d = np.uint64(0)
    uneven_before = np.uint64(0)
    for c in range(first, end + 1, 8):
        a = _load(flat, rows[0], n_columns, c)
        b = _load(flat, rows[1], n_columns, c)
        d = _load(flat, rows[2], n_columns, c)
        e = _load(flat, rows[3], n_columns, c)
        # The voxels one column lower, so that byte k of the eight words is the neighbourhood of corner c + k.
        low_a = a << byte | before_a >> last
        uneven = (a ^ b) | (a ^ d) | (a ^ e)
        mixed = uneven | uneven << byte | uneven_before >> last | (a ^ low_a)
        if mixed:
            low_b = b << byte | before_b >> last
            low_d = d << byte | before_c >> last
            low_e = e << byte | before_d >> last
            for k in range(8):
                shift = np.uint64(8 * k)
                if (mixed >> shift) & np.uint64(255):
                    low = _pack(low_a, low_b, low_d, low_e, shift)
                    high = _pack(a, b, d, e, shift)
                    _emit(low | high << byte, s, r, c + k, cursor, corners, codes)
        before_a, before_b, before_c, before_d = a, b, d, e
        uneven_before = uneven


@njit(cache=True, nogil=True, forceinline=True)
def _load(flat, row, n_columns, c):
    if row < 0:
        return np.uint64(0)
    start = row * n_columns
    return load_word_within(flat, start + c, start + n_columns)


@njit(cache=True, nogil=True, forceinline=True)
def _pack(a, b, c, d, shift):
    """Put one byte of each of four words into bytes 0, 2, 4 and 6."""
    byte = np.uint64(255)
    return (
        (a >> shift & byte)
        | (b >> shift & byte) << np.uint64(16)
        | (c >> shift & byte) << np.uint64(32)
        | (d >> shift & byte) << np.uint64(48)
    )


@njit(cache=True, nogil=True, forceinline=True)
def _emit(word, s, r, c, cursor, corners, codes):
    """Store the element of the spine and of each label among the eight voxels of a word."""
    inside = 255 - zero_bytes(word)
    if 0 < inside < 255:
        _store(0, inside, s, r, c, cursor, corners, codes)
    while inside:
        lowest = inside & -inside
        byte = ((lowest > 15) << 2) + ((lowest & 0xCC > 0) << 1) + (lowest & 0xAA > 0)
        label = (word >> np.uint64(8 * byte)) & np.uint64(255)
        code = zero_bytes(word ^ (label * EACH_BYTE))
        if code != 255:
            _store(np.int64(label), code, s, r, c, cursor, corners, codes)
        inside &= ~code


@njit(cache=True, nogil=True, forceinline=True)
def _store(key, code, s, r, c, cursor, corners, codes):
    at = cursor[key]
    if at < 0:
        return
    cursor[key] = at + 1
    if codes.size:
        corners[0, at] = s
        corners[1, at] = r
        corners[2, at] = c
        codes[at] = code
