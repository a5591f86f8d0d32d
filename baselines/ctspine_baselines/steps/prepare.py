"""`prepare`: check the training cases and register them with nnU-Net, where they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ctspine_baselines.job import DATA_VARIABLE
from ctspine_baselines.training_set import (
    check_training_case,
    count_by_source,
    find_training_cases,
)
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import BaselineError, InputError
from ctspine_bench.provenance import digest_of_files, digest_of_split
from ctspine_bench.tables import write_json
from ctspine_bench.workers import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf
    from ctspine_baselines.training_set import TrainingCase

DATASET: Final = "dataset.json"
_MEND: Final = "Download or mend the file, or do without the case: --exclude CASE, which the submission will say."
_CHECKED: Final = "checked.jsonl"


def describe(job: Job) -> Iterator[str]:
    """Say which cases would be registered, and how many have been checked before."""
    job.recipe.nnunet()
    _check_id_is_free(job)
    cases = find_training_cases(job)
    sources = ", ".join(f"{source} {count}" for source, count in sorted(count_by_source(cases).items()))
    checked = _checked(job)
    to_check = sum(not _is_checked(case, checked) for case in cases)
    yield f"check {to_check} of {len(cases)} training cases ({sources}) in {job.data_root()}"
    yield f"register them as {job.dataset} in {job.raw / DATASET}, without copying any"


def run(job: Job, progress: ProgressOf) -> Iterable[str]:
    """Check every case that was not checked as it is now, then write dataset.json.

    Raises:
        BaselineError: E_TRAINING_SET, E_DATASET.
        InputError: The first case that is broken, when all have been looked at; notes name the others.
    """
    job.recipe.nnunet()
    _check_id_is_free(job)
    _check_left_out(job)
    cases = find_training_cases(job)
    dataset = _dataset(job, cases, _check_all(job, cases, progress))
    path = job.raw / DATASET
    if path.exists() and json.loads(path.read_text("utf-8")) != dataset:
        _check_unused(job, path)
    write_json(dataset, path)
    return ()


def _dataset(job: Job, cases: tuple[TrainingCase, ...], checked: dict[str, dict[str, Any]]) -> dict[str, Any]:
    root = job.data_root()

    def place(path: Path) -> str:
        name = path.absolute().relative_to(root).as_posix()
        if "$" in name:
            advice = "nnU-Net takes what follows for an environment variable: rename it."
            raise BaselineError("E_TRAINING_SET", path, expected="a path without $", found=name, advice=advice)
        return f"${{{DATA_VARIABLE}}}/{name}"

    return {
        "name": job.dataset,
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **{name: label for label, name in enumerate(VERTEBRAE, start=1)}},
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
        # RAS order whatever the file's, so that axes mean the same everywhere; reads slightly sheared grids too.
        "overwrite_image_reader_writer": "NibabelIOWithReorient",
        "training_cases_sha256": digest_of_split(case.case_id for case in cases),
        "training_files_sha256": digest_of_files((case.case_id, checked[case.case_id]["sha256"]) for case in cases),
        "left_out": sorted(job.exclude),
        "dataset": {case.case_id: {"images": [place(case.image)], "label": place(case.labels)} for case in cases},
    }


def _check_id_is_free(job: Job) -> None:
    """Raise E_DATASET when another data set has our number, which nnU-Net would stumble over later."""
    for folder in (job.raw, job.preprocessed, job.model("any").parent):
        for other in folder.parent.glob(f"Dataset{job.dataset_id}*"):
            if other.name != job.dataset:
                raise BaselineError(
                    "E_DATASET",
                    other,
                    expected=f"no other nnU-Net data set with the number of {job.dataset}",
                    found=f"{other.name}",
                    advice="Choose another --work folder, or give that data set another number.",
                )


def _check_left_out(job: Job) -> None:
    """Raise E_DATASET when other cases are to be left out than those of the call before."""
    path = job.raw / DATASET
    if not path.exists():
        return
    try:
        left_out = json.loads(path.read_text("utf-8"))["left_out"]
    except (ValueError, KeyError, TypeError):
        advice = "Choose another --work folder, or remove that file."
        raise BaselineError("E_DATASET", path, expected="what this step writes", found="else", advice=advice) from None
    if left_out != sorted(job.exclude):
        options = " ".join(f"--exclude {case_id}" for case_id in left_out)
        raise BaselineError(
            "E_DATASET",
            job.raw / DATASET,
            expected=f"to leave out what was left out before: {', '.join(left_out) or 'nothing'}",
            found=", ".join(sorted(job.exclude)) or "nothing to leave out",
            advice=f"Repeat {options}" if options else "Choose another --work folder, or remove that file.",
        )


def _check_unused(job: Job, path: Path) -> None:
    """Raise E_DATASET when networks have been trained on what is registered, and something else would replace it."""
    trained = job.model("any").parent
    if trained.is_dir() and any(trained.iterdir()):
        raise BaselineError(
            "E_DATASET",
            path,
            expected="the same training cases as those that networks in this folder were trained on",
            found="others",
            advice="Choose another --work folder: what was trained stays comparable with what its provenance says.",
        )


def _check_all(job: Job, cases: tuple[TrainingCase, ...], progress: ProgressOf) -> dict[str, dict[str, Any]]:
    """Check the cases that were not checked as they are now, and return what is noted about each."""
    checked = _checked(job)
    missing = [case for case in cases if not _is_checked(case, checked)]
    broken: list[InputError] = []
    job.raw.mkdir(parents=True, exist_ok=True)
    with progress("Checking training cases", len(cases)) as shown, (job.raw / _CHECKED).open("a") as journal:
        shown.skip(len(cases) - len(missing))
        for case, found in in_parallel(_check, missing, job.workers):
            if isinstance(found, InputError):
                broken.append(found)
            else:
                checked[case.case_id] = found
                journal.write(json.dumps(found) + "\n")
                journal.flush()
            shown.advance(case.case_id)
    if broken:
        for other in broken[1:]:
            broken[0].add_note(str(other))
        raise broken[0]
    return checked


def _check(case: TrainingCase) -> dict[str, Any] | InputError:
    """Return what is noted about a case, or what is wrong with it."""
    state = case.state
    try:
        return {"case_id": case.case_id, "state": state, "sha256": check_training_case(case)}
    except InputError as error:
        # What is said elsewhere about predictions would mislead here.
        told = type(error)(error.code, error.path, expected=error.expected, found=error.found, advice=_MEND)
        told.add_note(f"training case {case.case_id}")
        return told


def _is_checked(case: TrainingCase, checked: dict[str, dict[str, Any]]) -> bool:
    return case.case_id in checked and checked[case.case_id]["state"] == case.state


def _checked(job: Job) -> dict[str, dict[str, Any]]:
    """Return what was noted about each case; the last line of a run that was killed may be cut off."""
    try:
        lines = (job.raw / _CHECKED).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            found[entry["case_id"]] = entry
        except (ValueError, TypeError, KeyError):
            continue
    return found
