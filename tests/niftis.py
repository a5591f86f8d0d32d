"""Label maps on disk for tests: good ones, and ones broken in a chosen way."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel import Nifti1Header, Nifti2Header

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARED = Path(__file__).parents[2] / "shared" / "data"
"""Real files, where they are at hand."""

RAS_2MM = np.diag([2.0, 2.0, 2.0, 1.0])


def nifti_bytes(
    data: NDArray[Any],
    affine: NDArray[np.float64] = RAS_2MM,
    *,
    version: int = 1,
    endianness: str = "<",
    forms: tuple[int, int] = (1, 0),
    gap: bytes = bytes(4),
    **fields: Any,
) -> bytes:
    """A single-file NIfTI, uncompressed.

    Args:
        data: The stored values; their type is the stored type.
        affine: Voxel index → mm; goes to the sform, the qform and pixdim.
        version: NIfTI-1 or NIfTI-2.
        endianness: `"<"` or `">"`.
        forms: Code of the sform, and of the qform.
        gap: What lies between header and voxels.
        fields: Header fields to overwrite at the end, whatever they then say.
    """
    header = (Nifti1Header if version == 1 else Nifti2Header)(endianness=endianness)
    header.set_data_dtype(data.dtype)
    header.set_data_shape(data.shape)
    header.set_qform(affine, forms[1])
    header.set_sform(affine, forms[0])
    header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    header["magic"] = b"n+1" if version == 1 else b"n+2\0\r\n\x1a\n"
    header["vox_offset"] = header.sizeof_hdr + len(gap)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + gap + data.astype(data.dtype.newbyteorder(endianness)).tobytes(order="F")


def write(path: Path, content: bytes) -> Path:
    """Write the bytes of a file; gzip-compressed if the name ends in `.gz`."""
    path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)
    return path


def small_labels() -> NDArray[np.uint8]:
    """A `(4, 5, 6)` label map with T12, L1 and L2."""
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1:3, 1:4, 4] = 19
    labels[1:3, 1:4, 2] = 20
    labels[1, 1:3, 0] = 21
    return labels


def with_dim(*dim: int) -> NDArray[np.int16]:
    """The header field `dim`: number of dimensions and their lengths, filled up with ones."""
    return np.array([*dim, *[1] * (8 - len(dim))], np.int16)
