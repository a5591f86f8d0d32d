"""A small benchmark on disk for the tests of whole runs: three cases of boxes, and predictions of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from label_volumes import column

from ctspine_bench import Grid, write_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SPACING_MM = (1.0, 1.0, 2.0)
CASES = {"liver_1": 18, "liver_2": 19, "HN_P001": 3}
"""Case → its first label; each has five vertebrae."""


def grid_of(labels: NDArray[np.uint8]) -> Grid:
    return Grid(labels.shape, np.diag([*SPACING_MM, 1.0]))


def write_benchmark(folder: Path) -> tuple[Path, Path]:
    """Write references and perfect predictions; return the folder of predictions and that of references."""
    for case_id, first in CASES.items():
        labels = column(first=first)
        source = "HNSCC-3DCT-RT" if case_id.startswith("HN") else "MSD-T10"
        (folder / "references" / source).mkdir(parents=True, exist_ok=True)
        (folder / "predictions").mkdir(exist_ok=True)
        write_labels(folder / "references" / source / f"{case_id}_seg.nii.gz", labels, grid_of(labels))
        write_labels(folder / "predictions" / f"{case_id}.nii.gz", labels, grid_of(labels))
    return folder / "predictions", folder / "references"
