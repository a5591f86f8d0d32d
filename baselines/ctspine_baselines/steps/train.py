"""`train`: let nnU-Net train, from where it was if it was interrupted, and never two in one folder."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from ctspine_baselines.programs import LOCK, LOCKED, NEXT_STAGE, SESSIONS, SETTINGS, run_nnunet
from ctspine_baselines.steps.plan import check_preprocessed, is_planned, planned_configuration
from ctspine_bench.errors import BaselineError, UsageError
from ctspine_bench.tables import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf, Shown

RUN: Final = "recipe.json"
FINAL: Final = "checkpoint_final.pth"
_STEP_LOCK: Final = ".step.lock"
_CHECKPOINTS: Final = (FINAL, "checkpoint_latest.pth", "checkpoint_best.pth")
_EPOCH: Final = re.compile(r"Epoch (\d+)\s*$")
_DICE: Final = re.compile(r"New best EMA pseudo Dice: (?:np\.float\d+\()?([\d.]+)")


def describe(job: Job) -> Iterator[str]:
    """Say what would be trained, and whether it begins, goes on or is done."""
    _, training = job.recipe.nnunet()
    for configuration in job.configurations:
        folder = job.training_folder(configuration)
        if not job.restart and is_trained(job, configuration):
            yield f"nothing: {configuration} is trained, in {folder}"
        else:
            begin = "go on training" if _checkpoint(folder) and not job.restart else "train"
            on = f"{job.gpus} GPU{'s' if job.gpus > 1 else ''}" if job.device == "cuda" else job.device.upper()
            length = f"{training.epochs} epochs of {training.iterations} iterations"
            yield f"{begin} {configuration} for {length} on {on} → {folder}"


def run(job: Job, progress: ProgressOf) -> Iterable[str]:
    """Train all configurations of a recipe.

    Raises:
        BaselineError: E_RUN: another process trains in the folder, it holds the training of another recipe, or one
            that left no checkpoint. E_DATASET, E_PROGRAM.
    """
    if not is_planned(job):
        raise _error(job.plans_file, "the plans of this recipe", "none", "Call the step `plan` first.")
    for configuration in job.configurations:
        check_preprocessed(job, configuration)
        _check_gpus(job, configuration)
    if job.restart:
        for configuration in job.configurations:
            _forget(job, configuration)
    for configuration in job.configurations:
        if not is_trained(job, configuration):
            _train(job, configuration, progress)
    return ()


def is_trained(job: Job, configuration: str) -> bool:
    """Return whether a configuration was trained to its end by this recipe, with what the next stage needs of it.

    Raises:
        BaselineError: E_RUN: the folder holds the training of another recipe.
    """
    folder = job.training_folder(configuration)
    _check_recipe(job, folder)
    is_last = configuration == job.configurations[-1]
    return (folder / FINAL).is_file() and (is_last or (folder / NEXT_STAGE).is_file())


def _train(job: Job, configuration: str, progress: ProgressOf) -> None:
    folder = job.training_folder(configuration)
    with _alone(folder):
        _train_alone(job, configuration, folder, progress)


def _train_alone(job: Job, configuration: str, folder: Path, progress: ProgressOf) -> None:
    planning, training = job.recipe.nnunet()
    goes_on = _goes_on(folder)
    write_json({"recipe": job.recipe.slug, "sha256": job.recipe.sha256}, folder / RUN)
    arguments = [
        str(folder.absolute()), job.dataset_id, configuration, "all", "-tr", training.trainer, "-p", planning.plans,
        "-device", job.device, "-num_gpus", str(job.gpus), *(["--c"] if goes_on else []),
    ]  # fmt: skip
    settings = training.model_dump(exclude={"trainer"}) | {
        "predicts_next_stage": configuration != job.configurations[-1]
    }
    variables = {SETTINGS: json.dumps(settings)}
    if job.device == "cpu":
        variables["nnUNet_n_proc_DA"] = "0"
    with progress(f"Training {configuration}", training.epochs) as shown:
        lines = _Lines(shown)
        code = run_nnunet(job, ["train", *arguments], variables=variables, on_line=lines, allowed=(LOCKED,))
        lines.end(training.epochs)
    if code == LOCKED:
        raise _in_use(folder)


class _Lines:
    """Reads what nnU-Net prints."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._epoch = 0
        self._dice = ""

    def __call__(self, line: str) -> None:
        if found := _EPOCH.search(line):
            self.end(int(found[1]))
            self._shown.say(f"epoch {self._epoch}{self._dice}")
        elif found := _DICE.search(line):
            self._dice = f", pseudo Dice {float(found[1]):.3f}"

    def end(self, epoch: int) -> None:
        """Count all epochs before this one as done."""
        self._shown.skip(epoch - self._epoch)
        self._epoch = epoch


def _goes_on(folder: Path) -> bool:
    """Return whether there is a checkpoint to go on from; an error if something was begun and left none."""
    if _checkpoint(folder):
        return True
    if any(folder.glob("training_log_*.txt")):
        raise _error(
            folder,
            "a checkpoint to go on from",
            "the log of a training that left none",
            "Look at the log; to begin anew, add --restart.",
        )
    return False


def _checkpoint(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _CHECKPOINTS)


def _check_recipe(job: Job, folder: Path) -> None:
    try:
        run: dict[str, Any] = json.loads((folder / RUN).read_text("utf-8"))
    except FileNotFoundError:
        return
    if run["sha256"] != job.recipe.sha256:
        raise _error(
            folder,
            f"a training of {job.recipe.slug} with its present settings",
            f"one of {run['recipe']} with others",
            "Choose another --work folder.",
        )


def _check_gpus(job: Job, configuration: str) -> None:
    batch_size = planned_configuration(job, configuration)["batch_size"]
    if job.device == "cuda" and job.gpus > batch_size:
        raise UsageError(f"nnU-Net shares a batch out: {configuration} has {batch_size} patches for {job.gpus} GPUs")


def _forget(job: Job, configuration: str) -> None:
    """Take away what a training has left, so that nothing of it is taken for something of the next one."""
    folder = job.training_folder(configuration)
    if not folder.exists():
        return
    with _alone(folder):
        for name in (*_CHECKPOINTS, SESSIONS, NEXT_STAGE, RUN):
            (folder / name).unlink(missing_ok=True)
        for log in folder.glob("training_log_*.txt"):
            log.unlink()
        for outdated in (folder / "validation", folder.parent / "predicted_next_stage"):
            shutil.rmtree(outdated, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a training folder to this process; the program that it starts has a lock of its own.

    That one outlives this process if it is killed, and is looked at too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _STEP_LOCK, timeout=0):
            with FileLock(folder / LOCK, timeout=0):
                pass
            yield
    except Timeout:
        raise _in_use(folder) from None


def _in_use(folder: Path) -> BaselineError:
    return _error(folder, "no other process that trains here", "one", "Wait until it has ended, or stop it.")


def _error(path: Path, expected: str, found: str, advice: str) -> BaselineError:
    return BaselineError("E_RUN", path, expected=expected, found=found, advice=advice)
