"""The training cases: found, checked and registered with nnU-Net, where they are."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from ctspine_download import AFFINE, SHAPE, paths, write_case
from niftis import nifti_bytes, write

from ctspine_baselines.job import DATA_VARIABLE
from ctspine_baselines.steps import prepare
from ctspine_baselines.training_set import find_training_cases
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import BaselineError, CaseError, FileError, GeometryError, UsageError
from ctspine_bench.testsets import official, training_cases

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf

CASE = training_cases()[7]


@pytest.fixture
def own(job: Job, tmp_path: Path) -> Job:
    """The same with a download that a test may break."""
    assert job.data
    return replace(job, data=shutil.copytree(job.data, tmp_path / "download"))


def test_exactly_the_official_training_cases_are_registered(job: Job, progress: ProgressOf) -> None:
    """610 cases; test cases that lie beside them are not among them."""
    assert list(prepare.run(job, progress)) == []
    dataset = json.loads((job.raw / "dataset.json").read_text("utf-8"))
    assert dataset["numTraining"] == 610
    assert dataset["dataset"].keys() == set(training_cases())
    assert not dataset["dataset"].keys() & set(official("public").cases or ())
    assert dataset["labels"] == {"background": 0, **{name: label for label, name in enumerate(VERTEBRAE, 1)}}


def test_no_path_of_a_machine_is_registered(job: Job, progress: ProgressOf) -> None:
    """Paths begin with an environment variable, lead to the files once it is set, and nothing was copied or linked."""
    prepare.run(job, progress)
    text = (job.raw / "dataset.json").read_text("utf-8")
    assert job.data
    assert str(job.data) not in text
    case = json.loads(text)["dataset"][CASE]
    root = job.environment()[DATA_VARIABLE]
    found = [path.replace(f"${{{DATA_VARIABLE}}}", root) for path in (*case["images"], case["label"])]
    assert [os.path.realpath(path) for path in found] == [os.path.realpath(path) for path in paths(job.data, CASE)]
    assert {path.suffix for path in job.work.rglob("*") if path.is_file()} == {".json", ".jsonl"}
    assert not [path for path in job.work.rglob("*") if path.is_symlink()]


def test_a_second_call_checks_nothing_again(job: Job, progress: ProgressOf, lines: dict) -> None:
    """What was checked is known by the sizes and times of its files; a changed file is checked once more."""
    prepare.run(job, progress)
    assert len(lines["Checking training cases"].advanced) == 610
    prepare.run(job, progress)
    assert (lines["Checking training cases"].skipped, lines["Checking training cases"].advanced) == (610, [])
    with (job.raw / "checked.jsonl").open("a", encoding="utf-8") as journal:
        journal.write('{"case_id": "cut o')  # as a run that was killed leaves it
    assert [line for line in prepare.describe(job) if line.startswith("check 0 of 610")]


def test_a_missing_case_is_an_error_before_any_work(own: Job, progress: ProgressOf) -> None:
    """An image or a label map that is not there is named, with what to do; nothing was written."""
    assert own.data
    for path, what in zip(paths(own.data, CASE), ("image", "label map"), strict=True):
        hidden = path.rename(path.with_name("hidden"))
        with pytest.raises(BaselineError, match=rf"one {what} of each of the 610.*none of 1 of them: {CASE}"):
            prepare.run(own, progress)
        hidden.rename(path)
    assert not own.work.exists()


def test_a_case_can_be_left_out_by_name(own: Job, progress: ProgressOf) -> None:
    """Then 609 are registered, and the data set says which one is not; a name that is none is an error."""
    assert own.data
    paths(own.data, CASE)[0].unlink()
    prepare.run(replace(own, exclude=(CASE,)), progress)
    dataset = json.loads((own.raw / "dataset.json").read_text("utf-8"))
    assert (dataset["numTraining"], dataset["left_out"]) == (609, [CASE])
    assert len(dataset["training_files_sha256"]) == 64
    with pytest.raises(BaselineError, match=f"Repeat --exclude {CASE}"):
        prepare.run(own, progress)
    with pytest.raises(BaselineError, match="no training case called liver"):
        find_training_cases(replace(own, exclude=("liver",)))


def test_two_files_of_one_case_are_an_error(own: Job, progress: ProgressOf) -> None:
    """Neither can be known to be meant."""
    assert own.data
    labels = paths(own.data, CASE)[1]
    shutil.copy(labels, labels.with_name(f"{CASE}.nii.gz"))
    with pytest.raises(CaseError, match="E_DUPLICATE_CASE"):
        prepare.run(own, progress)


def test_broken_files_are_told_when_all_have_been_looked_at(own: Job, progress: ProgressOf, lines: dict) -> None:
    """A cut-off image and an image on another grid: both are named, the other 608 need not be checked again."""
    assert own.data
    other = training_cases()[300]
    image, _ = paths(own.data, CASE)
    image.write_bytes(image.read_bytes()[:-20])
    moved, labels = paths(own.data, other)
    kept = labels.read_bytes()
    write_case(own.data, other, AFFINE + np.array([[0, 0, 0, 40.0], *np.zeros((3, 4))]))
    labels.write_bytes(kept)
    with pytest.raises((FileError, GeometryError)) as error:
        prepare.run(own, progress)
    told = "\n".join([str(error.value), *error.value.__notes__])
    assert "E_TRUNCATED" in told
    assert "E_AFFINE" in told
    assert image.name in told
    assert moved.name in told
    assert "--exclude" in told
    assert not (own.raw / "dataset.json").exists()
    assert len(lines["Checking training cases"].advanced) == 610
    prepare.run(replace(own, exclude=(CASE, other)), progress)
    assert lines["Checking training cases"].advanced == []


@pytest.mark.parametrize(
    ("voxels", "code"),
    [(np.full(SHAPE, np.nan, np.float32), "E_NAN"), (np.zeros((*SHAPE, 1), np.int16), "E_NDIM")],
)
def test_images_that_nnunet_refuses_are_found_before(
    own: Job, progress: ProgressOf, voxels: np.ndarray, code: str
) -> None:
    """Voxels that are no numbers, and a fourth dimension: nnU-Net would stop at them without naming the case."""
    assert own.data
    image = write(paths(own.data, CASE)[0], nifti_bytes(voxels, AFFINE))
    with pytest.raises(FileError, match=rf"{code}.*{image.name}.*--exclude") as error:
        prepare.run(own, progress)
    assert error.value.code == code


def test_a_dataset_json_of_somebody_else_is_an_error(job: Job, progress: ProgressOf) -> None:
    """An empty file, or one that nnU-Net's own scripts have written."""
    job.raw.mkdir(parents=True)
    for text in ("", '{"numTraining": 3}'):
        (job.raw / "dataset.json").write_text(text, encoding="utf-8")
        with pytest.raises(BaselineError, match="what this step writes"):
            prepare.run(job, progress)


@pytest.mark.parametrize("folder", ["nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"])
def test_a_number_that_is_taken_is_an_error(job: Job, progress: ProgressOf, folder: str) -> None:
    """Another data set of the same number, wherever nnU-Net would find it, is named before any work."""
    other = job.work / folder / "Dataset610_Livers"
    other.mkdir(parents=True)
    with pytest.raises(BaselineError, match="Dataset610_Livers") as error:
        prepare.run(job, progress)
    assert error.value.code == "E_DATASET"
    assert not job.raw.exists()


def test_what_networks_were_trained_on_is_not_replaced(own: Job, progress: ProgressOf) -> None:
    """Another content of one file is another data set; once something was trained, it needs another work folder."""
    assert own.data
    prepare.run(own, progress)
    before = json.loads((own.raw / "dataset.json").read_text("utf-8"))["training_files_sha256"]
    write_case(own.data, CASE, AFFINE * np.array([[-1], [1], [1], [1]]))
    prepare.run(own, progress)
    assert json.loads((own.raw / "dataset.json").read_text("utf-8"))["training_files_sha256"] != before
    own.training_folder("3d_fullres").mkdir(parents=True)
    prepare.run(own, progress)
    write_case(own.data, CASE)
    with pytest.raises(BaselineError, match="E_DATASET"):
        prepare.run(own, progress)


def test_without_data_it_says_how_to_give_it(job: Job, progress: ProgressOf, tmp_path: Path) -> None:
    """No folder, and one that is laid out otherwise."""
    with pytest.raises(UsageError, match="--data FOLDER"):
        prepare.run(replace(job, data=None), progress)
    with pytest.raises(UsageError, match="volumes and labels"):
        prepare.run(replace(job, data=tmp_path), progress)
