"""Methods that others have trained: their program, their labels, and a real result of theirs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from niftis import SHARED, nifti_bytes, write

from ctspine_baselines.job import Job
from ctspine_baselines.recipe import read_recipe
from ctspine_baselines.steps import predict
from ctspine_bench import score_case
from ctspine_bench.errors import BaselineError, GeometryError, LabelError
from ctspine_bench.volumes import read_labels

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.steps.step import ProgressOf

PAIR = SHARED / "totalsegmentator_pair"
L3, T12 = 22, 19


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """TotalSegmentator on a benchmark of one case."""
    recipe = read_recipe("totalsegmentator").model_copy(update={"data": "phantom"})
    image = tmp_path / "data" / "public" / "volumes" / "there" / "case.nii.gz"
    image.parent.mkdir(parents=True)
    write(image, nifti_bytes(np.zeros((4, 5, 6), np.int16)))
    return Job(recipe, work=tmp_path / "work", data=tmp_path / "data")


def output(job: Job, variant: str = "") -> Path:
    """Where the label map of the case is."""
    return job.predictions(variant) / "phantom-public" / "case.nii.gz"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called TotalSegmentator, a shell script, into reach."""
    folder.mkdir()
    program = folder / "TotalSegmentator"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def their_labels() -> np.ndarray:
    """L3, T12 in two pieces and a rib, as TotalSegmentator numbers them."""
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1:3, 1:3, 1] = 29
    labels[1:3, 1:3, 4] = 32
    labels[3, 4, 5] = 32
    labels[0, 0, 0] = 92
    return labels


def test_the_program_is_called_for_each_case(
    job: Job, progress: ProgressOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the image and where to write; its labels become ours, and once more with the largest components."""
    theirs = write(tmp_path / "theirs.nii.gz", nifti_bytes(their_labels()))
    called = tmp_path / "called"
    install(tmp_path / "bin", monkeypatch, f'echo "$@" >> {called}; cp {theirs} "$4"')
    predict.run(job, progress)
    arguments = called.read_text("utf-8").split()
    assert (arguments[0], arguments[2], arguments[4]) == ("-i", "-o", "--ml")
    assert arguments[1].endswith("data/public/volumes/there/case.nii.gz")
    labels = read_labels(output(job)).labels
    assert (set(np.unique(labels)), (labels == L3).sum(), (labels == T12).sum()) == ({0, L3, T12}, 4, 5)
    assert (read_labels(output(job, "largest-component")).labels == T12).sum() == 4
    predict.run(job, progress)
    assert len(called.read_text("utf-8").splitlines()) == 1


def test_a_program_that_is_not_there_is_named(
    job: Job, progress: ProgressOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error says how to install it, and where outputs that one has already can be put."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BaselineError, match=r"pip install TotalSegmentator.*\.outputs") as error:
        predict.run(job, progress)
    assert error.value.code == "E_PROGRAM"


def test_a_program_that_fails_is_quoted(
    job: Job, progress: ProgressOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its exit code and last words; nothing is taken for an output."""
    install(tmp_path / "bin", monkeypatch, "echo no weights >&2; exit 3")
    with pytest.raises(BaselineError, match="exit code 3: no weights"):
        predict.run(job, progress)
    assert not output(job).exists()


@pytest.mark.parametrize(
    ("labels", "error"),
    [(np.zeros((4, 5, 7), np.uint8), GeometryError), (np.full((4, 5, 6), 200, np.uint8), LabelError)],
)
def test_outputs_are_checked(job: Job, progress: ProgressOf, labels: np.ndarray, error: type[Exception]) -> None:
    """Another grid than the image's, and values that the program does not have, are errors."""
    theirs = job.predictions() / ".outputs" / "phantom-public" / "case.nii.gz"
    theirs.parent.mkdir(parents=True)
    write(theirs, nifti_bytes(labels))
    with pytest.raises(error):
        predict.run(job, progress)
    assert not output(job).exists()


@pytest.mark.skipif(not PAIR.is_dir(), reason="the real files of ../shared/data are not at hand")
def test_a_real_result_is_scored(job: Job, progress: ProgressOf) -> None:
    """TotalSegmentator's fast model beside its full one on a real CT: the Dice of each vertebra is that of the files.

    The full model stands for the reference; L6 is no label of either.
    """
    assert job.data
    image = job.data / "public" / "volumes" / "there" / "case.nii.gz"
    shutil.copyfile(PAIR / "example_ct_sm.nii.gz", image)
    theirs = job.predictions() / ".outputs" / "phantom-public" / "case.nii.gz"
    theirs.parent.mkdir(parents=True)
    shutil.copyfile(PAIR / "example_seg_fast.nii.gz", theirs)
    predict.run(job, progress)
    score = score_case(PAIR / "example_seg.nii.gz", output(job), reference_label_map="totalsegmentator")
    full, fast = (np.asarray(nib.load(PAIR / f"example_seg{end}.nii.gz").dataobj) for end in ("", "_fast"))
    scored = {vertebra.name: vertebra.dsc for vertebra in score.vertebrae}
    assert scored.keys() == {"T11", "T12", "L1", "L2"}
    for name, value in {"T11": 33, "T12": 32, "L1": 31, "L2": 30}.items():
        a, b = full == value, fast == value
        assert scored[name] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert scored["T12"] == pytest.approx(0.968, abs=5e-4)
