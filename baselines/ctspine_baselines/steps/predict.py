"""`predict`: label maps of all cases of the test sets, as predicted and with the largest component of each vertebra."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ctspine_baselines import external
from ctspine_baselines.components import largest_components
from ctspine_baselines.job import VARIANTS
from ctspine_baselines.predicted import Case, cases_of, is_newer
from ctspine_baselines.programs import counting, run_nnunet
from ctspine_baselines.recipe import LARGEST_COMPONENT
from ctspine_baselines.steps.train import FINAL, is_trained
from ctspine_baselines.test_sets import find_test_sets, left_out
from ctspine_bench.errors import BaselineError
from ctspine_bench.files import sha256_of
from ctspine_bench.tables import write_json
from ctspine_bench.volumes import read_labels, write_labels
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf

_STAGES: Final = ".stages"
_MADE_BY: Final = ".checkpoints.json"


def describe(job: Job) -> Iterator[str]:
    """Say how many cases would be predicted."""
    test_sets = find_test_sets(job)
    for images in test_sets:
        folder = job.predictions() / images.test_set.name
        missing = sum(not (folder / f"{case_id}.nii.gz").exists() for case_id in images.images)
        how = job.recipe.external.command[0] if job.recipe.external else f"the trained network on {job.device.upper()}"
        yield f"predict {missing} of {len(images.images)} cases of {images.test_set.name} with {how} → {folder}"
    for name in left_out(images.test_set.name for images in test_sets):
        yield f"leave out {name}, which has no images"
    yield f"keep the largest component of each vertebra → {job.predictions(LARGEST_COMPONENT)}"


def run(job: Job, progress: ProgressOf) -> Iterable[str]:
    """Predict what is missing.

    Raises:
        BaselineError: E_RUN: the network is not trained, or there are predictions of another one; E_PROGRAM.
        InputError: An image that cannot be read, or the output of a program of others that cannot.
    """
    cases = cases_of(job)
    if job.recipe.external:
        external.predict(job, cases, progress)
    else:
        for configuration in job.configurations:
            _check_trained(job, configuration)
        check_current(job)
        write_json(_checkpoints(job), job.predictions() / _MADE_BY)
        _predict(job, cases, progress)
    _keep_largest(job, cases, progress)
    return ()


def _predict(job: Job, cases: list[Case], progress: ProgressOf) -> None:
    """Predict with all stages, one after the other; each starts from the label maps of the one before."""
    previous: Path | None = None
    for configuration in job.configurations:
        is_last = configuration == job.configurations[-1]
        folder = job.predictions() if is_last else job.predictions() / _STAGES / configuration
        missing = [case for case in cases if not case.output(folder).exists()]
        if missing:
            request = job.logs / "predict.json"
            write_json(_request(job, configuration, missing, folder, previous), request)
            with progress(f"Predicting with {configuration}", len(cases)) as shown:
                shown.skip(len(cases) - len(missing))
                run_nnunet(job, ["predict", str(request)], on_line=counting(shown))
        previous = folder


def _request(job: Job, configuration: str, cases: list[Case], folder: Path, previous: Path | None) -> dict[str, object]:
    return {
        "model": str(job.model(configuration).absolute()),
        "device": job.device,
        "export_workers": job.export_workers,
        "cases": [
            {
                "image": str(case.image.absolute()),
                "output": str(case.output(folder).absolute()),
                "previous": str(case.output(previous).absolute()) if previous else None,
            }
            for case in cases
        ],
    }


def _keep_largest(job: Job, cases: list[Case], progress: ProgressOf) -> None:
    folder = job.predictions(LARGEST_COMPONENT)
    missing = [case for case in cases if not is_newer(case.output(folder), case.output(job.predictions()))]
    with progress("Largest components", len(cases)) as shown:
        shown.skip(len(cases) - len(missing))
        for case, _ in in_parallel(lambda case: _write_largest(job, case), missing, job.workers):
            shown.advance(case.name)


def _write_largest(job: Job, case: Case) -> None:
    volume = read_labels(case.output(job.predictions()))
    write_labels(case.output(job.predictions(LARGEST_COMPONENT)), largest_components(volume.labels), volume.grid)


def _check_trained(job: Job, configuration: str) -> None:
    if not is_trained(job, configuration):
        raise BaselineError(
            "E_RUN",
            job.training_folder(configuration),
            expected=f"a training of {configuration} that has come to its end",
            found="none",
            advice=f"Call `ctspine-baseline train {job.recipe.slug}` first.",
        )


def check_current(job: Job) -> None:
    """Raise E_RUN when there are predictions of another training than the present one."""
    path = job.predictions() / _MADE_BY
    if job.recipe.external or not path.exists():
        return
    if json.loads(path.read_text("utf-8")) != _checkpoints(job):
        raise BaselineError(
            "E_RUN",
            job.predictions(),
            expected="predictions of the network that is there now",
            found="those of another training",
            advice=f"Move this folder and {job.predictions(LARGEST_COMPONENT).name} away, and predict again.",
        )


def _checkpoints(job: Job) -> dict[str, str]:
    return {name: sha256_of(job.training_folder(name) / FINAL) for name in job.configurations}


def is_predicted(job: Job) -> bool:
    """Return whether every case has its label maps, in all variants."""
    return all(case.output(job.predictions(variant)).exists() for case in cases_of(job) for variant in VARIANTS)
