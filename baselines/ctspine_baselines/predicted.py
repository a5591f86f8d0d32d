"""The cases to predict, and where their label maps are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctspine_baselines.test_sets import find_test_sets

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.job import Job


@dataclass(frozen=True)
class Case:
    """A case to predict.

    Attributes:
        test_set: Name of its test set.
        image: Its CT.
        name: Of the file with its label map.
    """

    test_set: str
    image: Path
    name: str

    def output(self, folder: Path) -> Path:
        """Return where its label map is in a folder of predictions."""
        return folder / self.test_set / self.name


def cases_of(job: Job) -> list[Case]:
    """Return the cases of all test sets that have images."""
    return [
        Case(images.test_set.name, image, f"{case_id}.nii.gz")
        for images in find_test_sets(job)
        for case_id, image in images.images.items()
    ]


def is_newer(made: Path, source: Path) -> bool:
    """Return whether a file is there and was made after the one that it is made of."""
    return made.exists() and made.stat().st_mtime_ns >= source.stat().st_mtime_ns
