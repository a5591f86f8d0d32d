"""Which test sets a recipe is run on: those whose images are there, and none with some of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from niftis import nifti_bytes, write

from ctspine_baselines.test_sets import find_test_sets, left_out
from ctspine_bench.errors import CaseError, UsageError
from ctspine_bench.testsets import official

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.job import Job


def write_verse(folder: Path, images: tuple[str, ...], labels: tuple[str, ...]) -> Path:
    """Write VerSe cases of these file names."""
    for kind, names in (("volumes", images), ("labels", labels)):
        (folder / kind).mkdir(parents=True)
        for name in names:
            write(folder / kind / f"{name}.nii.gz", nifti_bytes(np.zeros((2, 2, 2), np.uint8)))
    return folder


def test_sets_without_images_are_left_out(job: Job) -> None:
    """The download has the public cases alone; the training cases beside them are none of these."""
    (public,) = find_test_sets(job)
    assert tuple(public.images) == official("public").cases
    assert left_out([public.test_set.name]) == ("private", "verse")


def test_a_set_with_some_of_its_images_is_an_error(job: Job, tmp_path: Path) -> None:
    """A download that was cut short is not taken for a smaller test set."""
    assert job.data
    data = shutil.copytree(job.data, tmp_path / "data")
    case = (official("public").cases or ())[3]
    next(data.rglob(f"volumes/*/{case}.nii.gz")).unlink()
    with pytest.raises(CaseError, match=f"none of 1 of them: {case}"):
        find_test_sets(replace(job, data=data))


def test_verse_is_images_and_references_of_the_same_names(job: Job, tmp_path: Path) -> None:
    """Names as they are downloaded differ: that is told before anything is predicted."""
    good = write_verse(tmp_path / "good", ("verse001", "verse002"), ("verse001_seg", "verse002_seg"))
    assert set(find_test_sets(replace(job, verse=good))[1].images) == {"verse001", "verse002"}
    raw = write_verse(tmp_path / "raw", ("sub-verse004_ct",), ("sub-verse004_seg-vert_msk",))
    with pytest.raises(CaseError, match="for each image"):
        find_test_sets(replace(job, verse=raw))
    short = write_verse(tmp_path / "short", ("verse001",), ("verse001_seg", "verse002_seg"))
    with pytest.raises(CaseError, match="none of 1 of them: verse002"):
        find_test_sets(replace(job, verse=short))


def test_a_verse_folder_without_cases_is_wrong_usage(job: Job, tmp_path: Path) -> None:
    """What was asked for is not left out in silence."""
    with pytest.raises(UsageError, match="--verse"):
        find_test_sets(replace(job, verse=tmp_path))
