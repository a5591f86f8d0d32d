"""CTSpine1K as its users download it, with the real names of all its cases; each has a few hundred voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from niftis import nifti_bytes, write

from ctspine_bench.testsets import official, source_of, training_cases

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (6, 5, 7)
AFFINE = np.diag([1.5, 1.5, 3.0, 1.0])


def write_download(folder: Path) -> Path:
    """Write `<folder>/raw_data/volumes` and `labels` with all cases of the public test set too; return the folder."""
    for case_id in (*training_cases(), *(official("public").cases or ())):
        write_case(folder, case_id)
    return folder


def write_case(folder: Path, case_id: str, affine: NDArray[np.float64] = AFFINE) -> tuple[Path, Path]:
    """Write one case and return its image and its label map."""
    image, labels = paths(folder, case_id)
    for path in (image, labels):
        path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) % 100
    write(image, nifti_bytes(grey, affine))
    write(labels, nifti_bytes((grey % 26).astype(np.uint8), affine))
    return image, labels


def paths(folder: Path, case_id: str) -> tuple[Path, Path]:
    """Return where the image and the label map of a case are."""
    root, source = folder / "raw_data", source_of(case_id) or "unknown"
    return root / "volumes" / source / f"{case_id}.nii.gz", root / "labels" / source / f"{case_id}_seg.nii.gz"
