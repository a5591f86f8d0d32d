"""What guards a training: nothing is begun anew in silence, nothing is continued that is something else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from ctspine_baselines.recipe import read_recipe
from ctspine_baselines.steps import train
from ctspine_bench.errors import BaselineError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf


@pytest.fixture
def planned(job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose plans are there, with a program in place of nnU-Net that leaves nothing."""
    monkeypatch.setattr(train, "is_planned", lambda _: True)
    monkeypatch.setattr(train, "check_preprocessed", lambda *_: None)
    monkeypatch.setattr(train, "planned_configuration", lambda *_: {"batch_size": 2})
    return job


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been trained."""
    found: list[list[str]] = []
    monkeypatch.setattr(train, "run_nnunet", lambda _, arguments, **__: found.append(list(arguments)) or 0)
    return found


def folder_with(job: Job, *names: str) -> Path:
    """The training folder with some files in it."""
    folder = job.training_folder("3d_fullres")
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_a_new_training_begins(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """nnU-Net's command gets fold all, our trainer, and the settings of the recipe."""
    train.run(planned, progress)
    (arguments,) = calls
    assert arguments[2:5] == ["610", "3d_fullres", "all"]
    assert arguments[5:7] == ["-tr", "CTSpineTrainer"]
    assert "--c" not in arguments


@pytest.mark.parametrize("checkpoint", ["checkpoint_latest.pth", "checkpoint_best.pth"])
def test_an_interrupted_training_goes_on(
    planned: Job, progress: ProgressOf, calls: list[list[str]], checkpoint: str
) -> None:
    """Where there is a checkpoint, it is continued, and the dry run says so."""
    folder_with(planned, checkpoint, "training_log_1.txt")
    assert next(iter(train.describe(planned))).startswith("go on training 3d_fullres for 1000 epochs")
    train.run(planned, progress)
    assert calls[0][-1] == "--c"


def test_a_finished_training_is_left_alone(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """There is nothing to do."""
    folder_with(planned, "checkpoint_final.pth")
    assert next(iter(train.describe(planned))).startswith("nothing")
    train.run(planned, progress)
    assert calls == []


def test_what_left_no_checkpoint_is_not_begun_anew_in_silence(
    planned: Job, progress: ProgressOf, calls: list[list[str]]
) -> None:
    """nnU-Net would start over with a warning; here --restart has to be said."""
    folder_with(planned, "training_log_1.txt")
    with pytest.raises(BaselineError, match="--restart") as error:
        train.run(planned, progress)
    assert error.value.code == "E_RUN"
    assert calls == []
    train.run(replace(planned, restart=True), progress)
    assert len(calls) == 1


def test_restart_takes_everything_away(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """Otherwise something of the training before could be taken for something of the new one.

    Once it has been trained, the restart is over: what follows in the same call finds the network.
    """
    folder = folder_with(planned, "checkpoint_final.pth", "checkpoint_best.pth", "sessions.jsonl", "recipe.json")
    (folder / "recipe.json").write_text('{"recipe": "mine", "sha256": "0"}', encoding="utf-8")
    outdated = folder.parent / "predicted_next_stage" / "3d_cascade_fullres"
    outdated.mkdir(parents=True)
    job = replace(planned, restart=True)
    assert next(iter(train.describe(job))).startswith("train 3d_fullres")
    train.run(job, progress)
    assert "--c" not in calls[0]
    assert not [*folder.glob("checkpoint*"), *folder.glob("sessions*")]
    assert not outdated.exists()
    (folder / "checkpoint_final.pth").touch()
    assert train.is_trained(job, "3d_fullres")


def test_more_gpus_than_patches_are_refused(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """nnU-Net shares the patches of a batch out among the GPUs, and fails when there are too few."""
    train.run(replace(planned, gpus=2), progress)
    assert calls[0][calls[0].index("-num_gpus") + 1] == "2"
    with pytest.raises(UsageError, match="2 patches for 4 GPUs"):
        train.run(replace(planned, gpus=4), progress)


def test_another_recipe_in_the_folder_is_an_error(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """The same trainer, plans and configuration with other settings would be continued as if they were these."""
    folder = folder_with(planned, "checkpoint_latest.pth")
    (folder / "recipe.json").write_text(json.dumps({"recipe": "mine", "sha256": "0" * 64}), encoding="utf-8")
    with pytest.raises(BaselineError, match="one of mine with others"):
        train.run(planned, progress)
    assert calls == []


def test_two_never_train_in_one_folder(planned: Job, progress: ProgressOf, calls: list[list[str]]) -> None:
    """A lock that another process holds, whether it is seen before or by the program itself."""
    folder = folder_with(planned)
    with FileLock(folder / ".lock"), pytest.raises(BaselineError, match="no other process"):
        train.run(planned, progress)
    assert calls == []


def test_a_lock_that_only_the_program_sees_is_the_same_error(
    planned: Job, progress: ProgressOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the start another process may have come."""
    monkeypatch.setattr(train, "run_nnunet", lambda *_, **__: 75)
    with pytest.raises(BaselineError, match="no other process"):
        train.run(planned, progress)


def test_a_stage_whose_predictions_are_missing_is_not_done(
    planned: Job, progress: ProgressOf, calls: list[list[str]]
) -> None:
    """Trained, but interrupted while the training cases were predicted for the next stage: that goes on."""
    job = replace(planned, recipe=read_recipe("nnunet-lowres-cascade"))
    for configuration in job.configurations:
        job.training_folder(configuration).mkdir(parents=True)
        (job.training_folder(configuration) / "checkpoint_final.pth").touch()
    train.run(job, progress)
    assert [(call[3], call[-1]) for call in calls] == [("3d_lowres", "--c")]
    (job.training_folder("3d_lowres") / "next_stage.json").touch()
    calls.clear()
    train.run(job, progress)
    assert calls == []


def test_both_stages_of_a_cascade_are_trained(
    planned: Job, progress: ProgressOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First low resolution, which predicts the training cases for the next stage; then full resolution."""
    calls = []

    def keep(_: Job, arguments: list[str], *, variables: dict[str, str], **__: object) -> int:
        calls.append((arguments[3], json.loads(variables["CTSPINE_TRAINING"])["predicts_next_stage"]))
        return 0

    monkeypatch.setattr(train, "run_nnunet", keep)
    train.run(replace(planned, recipe=read_recipe("nnunet-lowres-cascade")), progress)
    assert calls == [("3d_lowres", True), ("3d_cascade_fullres", False)]
