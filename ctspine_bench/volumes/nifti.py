"""The header of a NIfTI file: what it promises, and whether that can be true.

NIfTI-1 and NIfTI-2, both byte orders (nifti.nimh.nih.gov: nifti1.h, nifti2.h). Every check here comes before any
allocation.
"""

# (nibabel announces types but leaves some calls without)

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from nibabel import Nifti1Header, Nifti2Header
from nibabel.nifti1 import data_type_codes

from ctspine_bench.errors import FileError, LabelError
from ctspine_bench.records import LONGEST_AXIS

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_bench.volumes.streams import VolumeStream

_HEADER_BYTES: Final[dict[int, Any]] = {348: Nifti1Header, 540: Nifti2Header}
_MAGIC: Final = {348: b"n+1", 540: b"n+2"}
_PAIR_MAGIC: Final = (b"ni1", b"ni2")
# Header extensions lie between the header and the voxels; more than this is no extension.
_MAX_OFFSET: Final = 1 << 26
_DTYPES: Final = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """What the header of one file says.

    Attributes:
        header: The header as nibabel has it, for the affines.
        shape: Number of voxels along the three axes, in stored order.
        dtype: Type and byte order of a stored value.
        slope: `scl_slope`; 1.0 when the header sets none.
        intercept: `scl_inter`; 0.0 when the header sets none.
        gap_bytes: Number of bytes between the header and the first voxel.
        notes: What was accepted but is worth knowing.
    """

    header: Nifti1Header
    shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    slope: float
    intercept: float
    gap_bytes: int
    notes: tuple[str, ...]

    @property
    def n_voxels(self) -> int:
        """Number of voxels of the volume."""
        return math.prod(self.shape)


def read_header(stream: VolumeStream, max_voxels: int) -> VolumeHeader:
    """Read the header at the start of a stream and check what it promises against the file.

    Raises:
        FileError: `E_FORMAT`, `E_TRUNCATED`, `E_CORRUPT`, `E_TOO_LARGE`.
        LabelError: `E_DTYPE`, `E_NDIM`.
    """
    path = stream.path
    header, size = _read_struct(stream)
    shape, notes = _shape(header, path)
    too_long = max(shape) > LONGEST_AXIS
    if too_long or math.prod(shape) > max_voxels:
        remedy = "the limit along an axis cannot be raised" if too_long else "a volume that large has to be cropped"
        raise FileError(
            "E_TOO_LARGE",
            path,
            expected=f"at most {max_voxels} voxels, and {LONGEST_AXIS} along an axis",
            found=f"{'×'.join(map(str, shape))} = {math.prod(shape)} voxels promised by the header",
            advice=f"If the header is wrong, write the file again; {remedy}.",
        )
    dtype = _dtype(header, path)
    offset = _offset(header, size, path)
    slope, intercept = _scaling(header, path)
    stream.check_promise(offset + math.prod(shape) * dtype.itemsize)
    return VolumeHeader(header, shape, dtype, slope, intercept, offset - size, notes)


def format_error(path: Path, expected: str, found: str) -> FileError:
    """An `E_FORMAT` error with the advice to write the file again."""
    advice = "Write the label map as .nii.gz (NIfTI-1) again, for example with nibabel, ITK-SNAP or 3D Slicer."
    return FileError("E_FORMAT", path, expected=expected, found=found, advice=advice)


def _read_struct(stream: VolumeStream) -> tuple[Nifti1Header, int]:
    block = bytearray(540)
    view = memoryview(block)
    stream.fill(view[:4], "a NIfTI header")
    sizes = {order: int.from_bytes(view[:4], order) for order in ("little", "big")}
    order, size = next(((order, size) for order, size in sizes.items() if size in _HEADER_BYTES), ("little", 0))
    if size == 0:
        expected = "a NIfTI header, which begins with its size, 348 or 540"
        raise format_error(stream.path, expected, f"a file that begins with {bytes(view[:4])!r}")
    stream.fill(view[4:size], f"a NIfTI header of {size} bytes")
    header = _HEADER_BYTES[size](bytes(view[:size]), endianness="<" if order == "little" else ">", check=False)
    magic = bytes(header["magic"].item())[:3]
    if magic != _MAGIC[size]:
        is_pair = magic in _PAIR_MAGIC
        found = "the header of a .hdr/.img pair" if is_pair else f"the magic {magic!r} (Analyze files have none)"
        raise format_error(stream.path, f"a single-file NIfTI with the magic {_MAGIC[size]!r}", found)
    return header, size


def _shape(header: Nifti1Header, path: Path) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    n_dimensions, *lengths = (int(n) for n in header["dim"])
    if not 1 <= n_dimensions <= len(lengths):
        raise format_error(path, "1 to 7 dimensions", f"dim[0] = {n_dimensions}")
    lengths = lengths[:n_dimensions]
    text = "×".join(map(str, lengths))
    if min(lengths) < 1:
        raise format_error(path, "at least one voxel along each axis", f"dimensions {text}")
    if n_dimensions < 3 or any(n != 1 for n in lengths[3:]):
        raise LabelError(
            "E_NDIM",
            path,
            expected="one 3-D volume (further dimensions of length 1 are accepted)",
            found=f"{n_dimensions} dimensions, {text}",
            advice="Write one 3-D label map with one integer a voxel, not a slice, a series or one-hot channels.",
        )
    x, y, z = lengths[:3]
    notes = (f"stored with {n_dimensions} dimensions ({text}); read as 3-D",) if n_dimensions > 3 else ()
    return (x, y, z), notes


def _dtype(header: Nifti1Header, path: Path) -> np.dtype[np.generic]:
    code = int(header["datatype"])
    if code not in _DTYPES:
        name = data_type_codes.label.get(code, "unknown")
        raise LabelError(
            "E_DTYPE",
            path,
            expected="an integer or real floating point type of at most 64 bits",
            found=f"data type {code} ({name})",
            advice="Write the label map as uint8.",
        )
    return np.dtype(_DTYPES[code]).newbyteorder(header.endianness)


def _offset(header: Nifti1Header, size: int, path: Path) -> int:
    offset = float(header["vox_offset"])
    # Four bytes that announce extensions always follow the header (nifti1.h, "vox_offset").
    if not (size + 4 <= offset <= _MAX_OFFSET and offset.is_integer()):
        raise format_error(path, f"a vox_offset between {size + 4} and {_MAX_OFFSET}", f"vox_offset = {offset:g}")
    return int(offset)


def _scaling(header: Nifti1Header, path: Path) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    if not math.isfinite(intercept):
        raise format_error(path, "a finite scl_inter", f"scl_slope = {slope:g} with scl_inter = {intercept:g}")
    return slope, intercept
