"""The three official test sets in full, 436 cases by their real names, each a few thousand voxels in size.

Commands about official test sets run on this as they are typed: no case is missing, only the spines are tiny.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ctspine_bench import Grid, official, write_labels
from ctspine_bench.anatomy import N_LABELS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SPACING_MM = (6.0, 6.0, 6.0)
_SHAPE = (8, 8, 40)
_VERTEBRA_VOXELS = 3

VERSE_CASES = tuple(f"verse{number:03d}" for number in range(500, 541))


def cases_of(test_set: str) -> tuple[str, ...]:
    """The ids of the cases of an official test set."""
    return official(test_set).cases or VERSE_CASES


def write_references(folder: Path) -> None:
    """Write `<folder>/<test set>/<case>_seg.nii.gz` for public, private and verse."""
    for test_set in ("public", "private", "verse"):
        for case_id in cases_of(test_set):
            _write(folder / test_set / f"{case_id}_seg.nii.gz", reference(case_id))


def write_predictions(folder: Path, *, levels_off: int = 0) -> None:
    """Write `<folder>/<test set>/<case>.nii.gz`: a voxel of every vertebra is lost, and every tenth case misnamed.

    Args:
        folder: Where to.
        levels_off: By how many levels the names of every tenth case are off.
    """
    for test_set in ("public", "private", "verse"):
        for number, case_id in enumerate(cases_of(test_set)):
            labels = reference(case_id)
            labels[2, 2, :] = 0
            if number % 10 == 0:
                labels = np.where(labels > 0, np.clip(labels + levels_off, 1, N_LABELS), 0).astype(np.uint8)
            _write(folder / test_set / f"{case_id}.nii.gz", labels)


def reference(case_id: str) -> NDArray[np.uint8]:
    """A column of vertebrae; which levels it has follows from the name of the case."""
    generator = np.random.default_rng(list(case_id.encode()))
    n_vertebrae = int(generator.integers(5, 12))
    first = int(generator.integers(1, N_LABELS - n_vertebrae + 1))
    if first + n_vertebrae == N_LABELS:
        first += int(generator.random() < 0.3)  # an L6 is rare
    labels = np.zeros(_SHAPE, np.uint8)
    for place, label in enumerate(range(first + n_vertebrae - 1, first - 1, -1)):
        bottom = 1 + place * _VERTEBRA_VOXELS
        width = 5 + int(generator.integers(2))
        labels[2:width, 2:width, bottom : bottom + _VERTEBRA_VOXELS] = label
    return labels


def _write(path: Path, labels: NDArray[np.uint8]) -> None:
    write_labels(path, labels, Grid(_SHAPE, np.diag([*SPACING_MM, 1.0])))
