"""A CT volume on disk → grey values for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.records import LabelVolume
from ctspine_bench.volumes.geometry import read_affine, to_ras
from ctspine_bench.volumes.nifti import read_header
from ctspine_bench.volumes.streams import CHUNK_BYTES, VolumeStream, open_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ctspine_bench.volumes.nifti import VolumeHeader

    _Convert = Callable[[NDArray[Any], VolumeHeader], NDArray[Any]]

WINDOW_HU: Final = (-350.0, 1050.0)
"""What is black and what is white: soft tissue is told from fat, and the shell of a vertebra from its inside."""

# Values of at most two bytes are looked up.
_TABLE_BYTES: Final = 2


def read_grey(path: Path, max_voxels: int) -> LabelVolume:
    """Read a CT volume within `WINDOW_HU`, with grey values 0–255 in the place of labels, in RAS order.

    Memory: one byte a voxel and a chunk; what it stores is never there as a whole.

    Args:
        path: A `.nii` or `.nii.gz` file with Hounsfield units.
        max_voxels: Refuse a header that promises more.

    Raises:
        InputError: As `read_labels` does for what is not about labels.
    """
    with open_file(path) as file:
        stream = VolumeStream(path, file)
        header = read_header(stream, max_voxels)
        stream.skip(header.gap_bytes, "header extensions")
        grey = _read(stream, header)
        stream.expect_end()
    affine, notes = read_affine(header, path)
    ordered, grid, order_notes = to_ras(grey.reshape(header.shape, order="F"), affine)
    return LabelVolume(ordered, grid, header.notes + notes + order_notes, str(path), stream.sha256)


def _read(stream: VolumeStream, header: VolumeHeader) -> NDArray[np.uint8]:
    grey = np.empty(header.n_voxels, np.uint8)
    scratch = bytearray(CHUNK_BYTES)
    step = CHUNK_BYTES // header.dtype.itemsize
    convert = _by_table(header) if header.dtype.kind in "iu" and header.dtype.itemsize <= _TABLE_BYTES else _grey
    for start in range(0, grey.size, step):
        part = grey[start : start + step]
        n_bytes = part.size * header.dtype.itemsize
        stream.fill(memoryview(scratch)[:n_bytes], "voxels")
        part[:] = convert(np.frombuffer(scratch, header.dtype, part.size), header)
    return grey


def _by_table(header: VolumeHeader) -> _Convert:
    """Return a conversion that looks the few values that can be stored up: a third of the time of computing each."""
    native = header.dtype.newbyteorder("=")
    unsigned = np.dtype(f"u{native.itemsize}")
    table = _grey(np.arange(2 ** (8 * native.itemsize), dtype=unsigned).view(native), header).astype(np.uint8)
    return lambda stored, _: table.take(stored.astype(native, copy=False).view(unsigned))


def _grey(stored: NDArray[Any], header: VolumeHeader) -> NDArray[np.float32]:
    low, high = WINDOW_HU
    values = (stored.astype(np.float32) * np.float32(header.slope) + np.float32(header.intercept - low)) / (high - low)
    # What is no number lies outside the field of view: black, like the air around it.
    grey: NDArray[np.float32] = np.clip(np.nan_to_num(255 * values, copy=False, nan=0, posinf=255, neginf=0), 0, 255)
    return grey
