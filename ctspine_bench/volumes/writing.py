"""`write_labels`: a label map as `.nii.gz` or `.nii`, whole or not at all, and byte for byte reproducible."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from isal import igzip
from nibabel import Nifti1Image

from ctspine_bench.errors import UsageError
from ctspine_bench.files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ctspine_bench.records import Grid


def nifti_image(voxels: NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32], grid: Grid) -> Nifti1Image:
    """Return a NIfTI-1 image in mm whose affine stands as sform and as qform, both with code 1 (scanner)."""
    image = Nifti1Image(voxels, grid.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(grid.affine, 1)
    image.set_qform(grid.affine, 1)
    return image


def write_labels(path: Path | str, labels: NDArray[np.uint8], grid: Grid, *, fast: bool = False) -> None:
    """Write `(x, y, z)` uint8 labels with their affine as sform and qform.

    The same labels give the same bytes. A file of that name is replaced in one step, once the new one is complete;
    missing folders are made.

    Args:
        path: A name that ends in `.nii.gz` or `.nii`.
        labels: The label map, in RAS order.
        grid: Where its voxels lie.
        fast: Compress with ISA-L: some twenty times as fast, but the compressed bytes may differ between types of
            machine and versions of that library.

    Raises:
        UsageError: The labels are not uint8, not of the grid's shape, or the name does not end in .nii or .nii.gz.
    """
    path = Path(path)
    if labels.dtype != np.uint8 or labels.shape != grid.shape:
        raise UsageError(f"expected uint8 labels of shape {grid.shape}, found {labels.dtype} of shape {labels.shape}")
    if not path.name.endswith((".nii", ".nii.gz")):
        raise UsageError(f"expected a name that ends in .nii.gz or .nii, found {path.name!r}")
    image = nifti_image(labels, grid)
    with replacing(path) as temporary, temporary.open("wb") as file:
        if path.name.endswith(".gz"):
            compress, level = (igzip.IGzipFile, 1) if fast else (gzip.GzipFile, 6)
            # No name and no time in the gzip header: they would change the bytes.
            with compress("", "wb", compresslevel=level, fileobj=file, mtime=0) as compressed:
                image.to_stream(compressed)
        else:
            image.to_stream(file)
