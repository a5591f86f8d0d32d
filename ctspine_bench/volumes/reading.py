"""`read_labels`: one file, or one folder of masks, as a `LabelVolume`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ctspine_bench.anatomy import IDENTITY, LabelMap
from ctspine_bench.errors import FileError
from ctspine_bench.records import LabelVolume
from ctspine_bench.volumes.decoding import LabelDecoder
from ctspine_bench.volumes.geometry import read_affine, to_ras
from ctspine_bench.volumes.label_maps import read_label_map
from ctspine_bench.volumes.masks import read_masks
from ctspine_bench.volumes.nifti import VolumeHeader, read_header
from ctspine_bench.volumes.streams import CHUNK_BYTES, VolumeStream, open_file

if TYPE_CHECKING:
    from io import BufferedReader

    from numpy.typing import NDArray

MAX_VOXELS: Final = 2**30
"""How many voxels a header may promise unless the caller says otherwise; a full-size CT has 0.13 · 10⁹."""


class VoxelBuffer:
    """Memory that one volume after the other is read into: fresh memory costs as much time as decompressing."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def take(self, n_voxels: int) -> NDArray[np.uint8]:
        """Return `n_voxels` bytes; what was returned before is overwritten."""
        if self._memory.size < n_voxels:
            self._memory = np.empty(0, np.uint8)  # before its successor is made
            self._memory = np.empty(n_voxels, np.uint8)
        return self._memory[:n_voxels]


def read_labels(
    path: Path | str,
    label_map: LabelMap | Path | str | None = None,
    *,
    max_voxels: int = MAX_VOXELS,
    buffer: VoxelBuffer | None = None,
) -> LabelVolume:
    """Read a label map, check everything about it, and bring it to RAS order without resampling.

    The file is read once, to its end, and its checksum verified. Memory: one byte a voxel and a few chunks.

    Args:
        path: A `.nii` or `.nii.gz` file, or a folder with one binary mask for each vertebra.
        label_map: What the stored values mean: a name in `anatomy.LABEL_MAPS`, a YAML file, a `LabelMap`, or `None` for
            labels 0–25 as they are.
        max_voxels: Refuse a header that promises more.
        buffer: Read a file into this; the volume is valid until the next one is read into it.

    Raises:
        FileError: `E_NOT_FOUND`, `E_FORMAT`, `E_TRUNCATED`, `E_CORRUPT`, `E_SURPLUS`, `E_TOO_LARGE`.
        LabelError: `E_DTYPE`, `E_NDIM`, `E_NAN`, `E_NOT_INTEGER`, `E_LABEL_RANGE`, `E_LABEL_MAP`, `E_MASK_OVERLAP`.
        GeometryError: `E_SPACING`, `E_SHEAR`; `E_SHAPE`, `E_AFFINE` between the masks of a folder.
        CaseError: `E_NO_CASES` for a folder without a mask that the label map knows.
    """
    path = Path(path)
    resolved = read_label_map(label_map)
    if path.is_dir():
        return read_masks(path, resolved, lambda mask, mask_map: read_file(mask, mask_map, max_voxels))
    return read_file(path, resolved or IDENTITY, max_voxels, buffer)


def read_file(path: Path, label_map: LabelMap, max_voxels: int, buffer: VoxelBuffer | None = None) -> LabelVolume:
    """Read one `.nii` or `.nii.gz` file; errors as `read_labels`."""
    if not path.name.lower().endswith((".nii", ".nii.gz")) and path.is_file():
        raise FileError(
            "E_FORMAT",
            path,
            expected="a .nii.gz or .nii file",
            found=f"a file named {path.suffix or 'without a suffix'}",
            advice="Convert it to .nii.gz, for example with SimpleITK, ITK-SNAP or 3D Slicer.",
        )
    with open_file(path) as file:
        return read_open_file(file, path, label_map, max_voxels, buffer)


def read_open_file(
    file: BufferedReader, path: Path, label_map: LabelMap, max_voxels: int, buffer: VoxelBuffer | None = None
) -> LabelVolume:
    """Read a file that is open already; errors as `read_labels`.

    Args:
        file: The open file; it is read from its beginning.
        path: What it is called: decides whether it is compressed, and stands in errors. Nothing is opened by that name.
        label_map: What the stored values mean.
        max_voxels: Refuse a header that promises more.
        buffer: Read it into this.
    """
    stream = VolumeStream(path, file)
    header = read_header(stream, max_voxels)
    stream.skip(header.gap_bytes, "header extensions")
    decoder = LabelDecoder(header, label_map, path)
    labels = (buffer or VoxelBuffer()).take(header.n_voxels)
    _read_voxels(stream, header, decoder, labels)
    stream.expect_end()
    value_notes = decoder.finish()
    affine, affine_notes = read_affine(header, path)
    ordered, grid, order_notes = to_ras(labels.reshape(header.shape, order="F"), affine)
    return LabelVolume(ordered, grid, header.notes + affine_notes + order_notes + value_notes, str(path), stream.sha256)


def _read_voxels(stream: VolumeStream, header: VolumeHeader, decoder: LabelDecoder, labels: NDArray[np.uint8]) -> None:
    """Read the voxels in stored order; without conversion they are decompressed to their final place."""
    what = f"{header.n_voxels} voxels of type {header.dtype.name}"
    step = CHUNK_BYTES // header.dtype.itemsize
    scratch = bytearray(0 if decoder.in_place else CHUNK_BYTES)
    for start in range(0, labels.size, step):
        part = labels[start : start + step]
        if decoder.in_place:
            stored: NDArray[Any] = part
            stream.fill(part.data, what)
        else:
            n_bytes = part.size * header.dtype.itemsize
            stream.fill(memoryview(scratch)[:n_bytes], what)
            stored = np.frombuffer(scratch, header.dtype, part.size)
        decoder.decode(stored, part)
