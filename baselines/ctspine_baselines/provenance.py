"""What a baseline was made with, for its results.json: digests, versions, time and memory, curves.

No paths, and no names of machines.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ctspine_baselines.predicted import is_newer
from ctspine_baselines.programs import SESSIONS, run_nnunet
from ctspine_baselines.steps.plan import FINGERPRINT, planned_configuration
from ctspine_baselines.steps.prepare import DATASET
from ctspine_baselines.steps.train import FINAL
from ctspine_bench.files import sha256_of

if TYPE_CHECKING:
    from ctspine_baselines.job import Job
    from ctspine_baselines.recipe import External

SUMMARY: Final = "summary.json"
_ONCE: Final = ("versions", "hardware", "trainers_sha256")  # what should be the same in all sessions
_SHOWN: Final = ("patch_size", "spacing", "batch_size")


def training_of(job: Job, variant: str) -> dict[str, Any]:
    """Return what results.json says about a training.

    Args:
        job: Of which everything is trained.
        variant: The post-processing; empty for none.

    Raises:
        BaselineError: E_PROGRAM.
    """
    common = {"recipe": job.recipe.slug, "recipe_sha256": job.recipe.sha256, "postprocessing": variant or None}
    if job.recipe.external:
        external = job.recipe.external
        program = Path(external.command[0]).name
        return common | {"program": f"{program} {_version(external)}", "label_map": external.label_map}
    # The copies that nnU-Net keeps with the network, as it was trained.
    model = job.model(job.recipe.configuration)
    dataset = json.loads((model / DATASET).read_text("utf-8"))
    return common | {
        "cases": dataset["numTraining"],
        "cases_sha256": dataset["training_cases_sha256"],
        "cases_left_out": dataset["left_out"],
        "files_sha256": dataset["training_files_sha256"],
        "dataset_sha256": sha256_of(model / DATASET),
        "fingerprint_sha256": sha256_of(model / FINGERPRINT),
        "plans_sha256": sha256_of(model / "plans.json"),
        "runs": 1,
        "seed": _seed(job),
        "stages": [_stage(job, configuration) for configuration in job.configurations],
    }


def cases_left_out(job: Job) -> list[str]:
    """Return the training cases that were not used."""
    model = job.model(job.recipe.configuration)
    left_out: list[str] = json.loads((model / DATASET).read_text("utf-8"))["left_out"]
    return left_out


def last_day(job: Job) -> str | None:
    """Return the date on which a training ended, YYYY-MM-DD; `None` of an external method."""
    if job.recipe.external:
        return None
    sessions = _sessions(job.training_folder(job.recipe.configuration))
    last: str = sessions[-1]["at"]
    return last.partition("T")[0]


def _stage(job: Job, configuration: str) -> dict[str, Any]:
    folder = job.training_folder(configuration)
    _, training = job.recipe.nnunet()
    sessions = _sessions(folder)
    starts = [each for each in sessions if each["event"] == "start"]
    ends = [each for each in sessions if each["event"] == "end"]
    summary = _summary(job, folder)
    planned = planned_configuration(job, configuration)
    return {
        "configuration": configuration,
        **{key: planned[key] for key in _SHOWN},
        "architecture": planned["architecture"]["network_class_name"].rpartition(".")[2],
        "trainer": training.trainer,
        "trainers_sha256": starts[-1]["trainers_sha256"],
        "iterations_per_epoch": training.iterations,
        **{key: summary[key] for key in ("parameters", "weights_sha256", "epochs", "seconds")},
        "sessions": len(starts),
        # Interrupted sessions note no end.
        "peak_memory_gib": max((each["peak_memory_gib"] for each in ends), default=None),
        "peak_gpu_memory_gib": max((each["peak_gpu_memory_gib"] or 0 for each in ends), default=0) or None,
        "augmentation_processes": starts[-1]["augmentation_processes"],
        "versions": starts[-1]["versions"],
        "hardware": starts[-1]["hardware"],
        "mixed_sessions": any(each[what] != starts[0][what] for each in starts for what in _ONCE),
        "curves": summary["curves"],
    }


def _seed(job: Job) -> str:
    _, training = job.recipe.nnunet()
    if training.seed is None:
        return "None: nnU-Net has none, and another run of the same recipe gives another network."
    last = _sessions(job.training_folder(job.recipe.configuration))
    devices = {each["hardware"]["device"] for each in last if each["event"] == "start"}
    if devices == {"cpu"}:
        return f"{training.seed}, on a CPU in one process: the same versions on the same machine give the same network."
    return f"{training.seed}, but not on a CPU: another run gives another network all the same."


def _version(external: External) -> str:
    try:
        return version(external.package)
    except PackageNotFoundError:
        return "of an unknown version"


def _summary(job: Job, folder: Path) -> dict[str, Any]:
    """Return what the checkpoint says; it is asked again when it has changed."""
    checkpoint, path = folder / FINAL, folder / SUMMARY
    if not is_newer(path, checkpoint):
        run_nnunet(job, ["summarise", str(checkpoint.absolute()), str(path.absolute())])
    summary: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return summary


def _sessions(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / SESSIONS).read_text("utf-8").splitlines()]
