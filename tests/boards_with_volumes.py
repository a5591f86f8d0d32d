"""A board whose volumes lie on disk: stacks of boxes with a CT, scored by the real engine.

```
benchmark/<test set>/labels/<SOURCE>/<case>_seg.nii.gz     volumes/<SOURCE>/<case>.nii.gz
predictions/<submission>/<test set>/<case>.nii.gz
submissions/<submission>/                                  private-store/
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from label_volumes import column

from ctspine_bench.evaluate import score_plan
from ctspine_bench.hosting.simulated import write_simulated_record
from ctspine_bench.hosting.store import PrivateStore
from ctspine_bench.pairing import plan_submission
from ctspine_bench.phantom.write import write_volume
from ctspine_bench.provenance import Settings
from ctspine_bench.records import Grid
from ctspine_bench.testsets import phantom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SPACING_MM: Final = (2.0, 2.0, 2.5)
GRID: Final = Grid((12, 12, 34), np.diag([*SPACING_MM, 1.0]))
"""Five boxes of 16 × 16 × 12.5 mm; the lowest is 5 mm above the floor."""

CASES: Final[Mapping[str, Mapping[str, tuple[str, int]]]] = {
    "public": {"column-1": ("COLONOG", 18), "column-2": ("MSD-T10", 8)},
    "private": {"secret-1": ("COLONOG", 18)},
    "verse": {"verse-1": ("VerSe", 20)},
}
"""Test set → case → its source and its first label."""


def perfect(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The reference itself."""
    return labels


def moved(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Everything one voxel (2 mm) to the right."""
    return np.roll(labels, 1, axis=0)


def renamed(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Everything called like the vertebra below."""
    return np.where(labels, labels + 1, 0).astype(np.uint8)


SUBMISSIONS: Final[Mapping[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]] = {
    "moved": moved,
    "perfect": perfect,
    "renamed": renamed,
}


def make_board_with_volumes(folder: Path) -> Path:
    """Write the board and its volumes; return the folder."""
    for test_set, cases in CASES.items():
        for case_id, (source, first) in cases.items():
            labels = column(first=first)
            write_volume(folder / "benchmark" / test_set / "labels" / source / f"{case_id}_seg.nii.gz", labels, GRID)
            write_volume(folder / "benchmark" / test_set / "volumes" / source / f"{case_id}.nii.gz", ct(labels), GRID)
            for slug, simulate in SUBMISSIONS.items():
                write_volume(folder / "predictions" / slug / test_set / f"{case_id}.nii.gz", simulate(labels), GRID)
    store = PrivateStore(folder / "private-store")
    for slug in SUBMISSIONS:
        scores = [
            score_plan(
                plan_submission(
                    folder / "predictions" / slug / test_set,
                    folder / "benchmark" / test_set / "labels",
                    phantom(f"phantom-{test_set}"),
                ),
                Settings(),
                workers=1,
            )
            for test_set in CASES
        ]
        write_simulated_record(folder / "submissions" / slug, f"Made: {slug}.", scores, store)
    return folder


def ct(labels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """A CT of some labels: bone of 700 HU in water."""
    return np.where(labels > 0, 700, 0).astype(np.int16)
