"""What the confined process hands back, in memory that both sides share: 64 KiB of JSON, then the labels as stored.

The labels are decompressed to where the trusted side finds them: nothing is copied. Nothing that comes back is
believed: whatever is not exactly as it should be is a `ValueError`.
"""

from __future__ import annotations

import json
import math
import mmap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.anatomy import N_LABELS
from ctspine_bench.errors import FileError, GeometryError, InputError, LabelError
from ctspine_bench.records import LONGEST_AXIS, Grid, LabelVolume
from ctspine_bench.volumes import VoxelBuffer
from ctspine_bench.volumes.geometry import check_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER_BYTES: Final = 1 << 16

# linux/mman.h: map all pages at once.
_POPULATE_WRITE: Final = 23
# Twice what a full-size CT needs: to get new memory for each would cost as much time again as reading it.
_KEPT_BYTES: Final = 1 << 28
_MAX_NOTES: Final = 50
_MAX_CHARACTERS: Final = 2000
_ERRORS: Final[dict[str, type[InputError]]] = {
    **dict.fromkeys(("E_FORMAT", "E_TRUNCATED", "E_CORRUPT", "E_SURPLUS", "E_TOO_LARGE"), FileError),
    **dict.fromkeys(("E_DTYPE", "E_NDIM", "E_NAN", "E_NOT_INTEGER", "E_LABEL_RANGE"), LabelError),
    **dict.fromkeys(("E_SPACING", "E_SHEAR"), GeometryError),
}
"""What reading an open file can raise."""


class AnswerBuffer(VoxelBuffer):
    """The child's side: voxels are read into the shared memory.

    Args:
        shared: The memory: the header, then a byte for each voxel that may come.
    """

    def __init__(self, shared: mmap.mmap) -> None:
        super().__init__()
        self.shared = shared
        self._memory = np.frombuffer(shared, np.uint8, offset=HEADER_BYTES)

    def take(self, n_voxels: int) -> NDArray[np.uint8]:
        """Return the part of the memory that holds `n_voxels` labels."""
        with suppress(OSError):  # Linux before 5.14: then page by page, as it is written to
            self.shared.madvise(_POPULATE_WRITE, 0, HEADER_BYTES + n_voxels)
        return super().take(n_voxels)

    def clear(self) -> None:
        """Give memory back to the system that only files of unusual size need."""
        if len(self.shared) > _KEPT_BYTES:
            with suppress(OSError):  # where the system cannot do that the memory is kept
                self.shared.madvise(mmap.MADV_REMOVE, _KEPT_BYTES)

    def write_volume(self, volume: LabelVolume) -> None:
        """Describe the volume whose voxels were read into this memory."""
        strides = volume.labels.strides
        # The stored axes one after the other have growing strides, and a negative one where the order is reversed.
        stored = sorted(range(3), key=lambda axis: abs(strides[axis]))
        axes = [(stored.index(axis) + 1) * (-1 if strides[axis] < 0 else 1) for axis in range(3)]
        self._write({
            "shape": volume.grid.shape,
            "axes": axes,
            "affine": volume.grid.affine.tolist(),
            "notes": volume.notes,
        })  # fmt: skip

    def write_error(self, error: InputError) -> None:
        """Say why there is no volume."""
        texts = {name: getattr(error, name)[:_MAX_CHARACTERS] for name in ("expected", "found", "advice")}
        self._write({"code": error.code, **texts})

    def _write(self, content: dict[str, Any]) -> None:
        encoded = json.dumps(content).encode().ljust(HEADER_BYTES)
        if len(encoded) > HEADER_BYTES:
            raise ValueError("an answer that is too long")
        self.shared[:HEADER_BYTES] = encoded


def read_answer(shared: mmap.mmap, name: str, sha256: str) -> LabelVolume:
    """Read what came back.

    Args:
        shared: The memory; the child is gone.
        name: What the participant calls the file that was read.
        sha256: Its digest.

    Returns:
        Labels that are valid until the memory is used for the next file.

    Raises:
        InputError: What the child says is wrong with the file.
        ValueError: The answer makes no sense.
    """
    content = _parse(shared[:HEADER_BYTES])
    if content.keys() == {"code", "expected", "found", "advice"}:
        raise _error(content, name)
    if content.keys() != {"shape", "axes", "affine", "notes"}:
        raise ValueError("an answer of unknown parts")
    grid = _grid(content["shape"], content["affine"])
    n_voxels = math.prod(grid.shape)
    if n_voxels > len(shared) - HEADER_BYTES:
        raise ValueError("more voxels than there is room for")
    voxels = np.frombuffer(shared, np.uint8, n_voxels, HEADER_BYTES)
    if voxels.max() > N_LABELS:
        raise ValueError("labels that are none")
    labels = _in_order(voxels, grid.shape, content["axes"])
    return LabelVolume(labels, grid, _notes(content["notes"]), name, sha256)


def _parse(encoded: bytes) -> dict[str, Any]:
    try:
        content = json.loads(encoded)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(content, dict):
        raise ValueError("no mapping")  # noqa: TRY004 -- one exception for all that makes no sense
    return content


def _error(content: dict[str, Any], name: str) -> InputError:
    code, *texts = (_text(content[part]) for part in ("code", "expected", "found", "advice"))
    if code not in _ERRORS:
        raise ValueError("an unknown error code")
    expected, found, advice = texts
    return _ERRORS[code](code, name, expected=expected, found=found, advice=advice)


def _grid(shape: object, affine: object) -> Grid:
    x, y, z = _integers(shape)
    if not 1 <= min(x, y, z) <= max(x, y, z) <= LONGEST_AXIS:
        raise ValueError("a shape out of bounds")
    rows = [_list(row, 4) for row in _list(affine, 4)]
    if not all(type(number) is float for row in rows for number in row):
        raise ValueError("an affine that is not of numbers")
    grid = Grid((x, y, z), np.array(rows, np.float64))
    if grid.affine[3].tolist() != [0, 0, 0, 1]:
        raise ValueError("a matrix that is not affine")
    try:
        with np.errstate(all="ignore"):
            check_axes(grid.affine, np.array(grid.spacing_mm), Path())
    except GeometryError:
        raise ValueError("an affine that no file could have had") from None
    return grid


def _in_order(voxels: NDArray[np.uint8], shape: tuple[int, int, int], axes: object) -> NDArray[np.uint8]:
    """`(x, y, z)` view of voxels; `axes` says which stored axis each is, counted from 1, negative when reversed."""
    signed = _integers(axes)
    stored = [abs(axis) - 1 for axis in signed]
    if sorted(stored) != [0, 1, 2]:
        raise ValueError("axes that are no permutation")
    stored_shape = [shape[stored.index(axis)] for axis in range(3)]
    view = voxels.reshape(stored_shape, order="F").transpose(stored)
    return view[tuple(slice(None, None, -1 if axis < 0 else 1) for axis in signed)]


def _notes(notes: object) -> tuple[str, ...]:
    if not isinstance(notes, list) or len(notes) > _MAX_NOTES:
        raise ValueError("notes that are no short list")
    return tuple(map(_text, notes))


def _text(text: object) -> str:
    if not isinstance(text, str) or len(text) > _MAX_CHARACTERS or not text.isprintable():
        raise ValueError("a text that is none, too long, or not printable")
    return text


def _integers(numbers: object) -> list[int]:
    integers = _list(numbers, 3)
    if not all(type(number) is int for number in integers):
        raise ValueError("numbers that are no integers")
    return integers


def _list(items: object, length: int) -> list[Any]:
    if not isinstance(items, list) or len(items) != length:
        raise ValueError(f"not a list of {length}")
    return items
