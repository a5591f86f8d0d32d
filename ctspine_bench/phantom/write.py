"""Label maps and images → NIfTI files: the same voxels always give the same bytes."""

# mypy: disable-error-code="no-untyped-call"
# (nibabel announces types but leaves some calls without)

from __future__ import annotations

from typing import TYPE_CHECKING

import nibabel
import numpy as np
from isal import igzip

from ctspine_bench.files import replacing
from ctspine_bench.records import Grid
from ctspine_bench.volumes.writing import nifti_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def write_volume(path: Path, voxels: NDArray[np.uint8] | NDArray[np.int16], grid: Grid) -> None:
    """Write a compressed NIfTI file, at once or not at all.

    Args:
        path: Ends in `.nii.gz`; missing folders are made.
        voxels: `(x, y, z)` labels or Hounsfield units, written in their own data type.
        grid: Becomes qform and sform, both with code 1 (scanner).
    """
    image = nifti_image(voxels, grid)
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        igzip.IGzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=2) as stream,
    ):
        image.to_stream(stream)


def read_volume(path: Path) -> tuple[NDArray[np.generic], Grid]:
    """Voxels `(x, y, z)` and grid of a file that `write_volume` wrote."""
    image = nibabel.Nifti1Image.from_filename(path)
    x, y, z = image.shape
    return np.asarray(image.dataobj), Grid((x, y, z), image.affine)
