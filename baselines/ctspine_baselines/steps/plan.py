"""`plan`: let nnU-Net look at the data, plan the network and preprocess the training cases."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from ctspine_baselines.programs import PREPROCESSED, counting, run_nnunet
from ctspine_baselines.steps.prepare import DATASET
from ctspine_bench.errors import BaselineError
from ctspine_bench.files import sha256_of
from ctspine_bench.tables import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf

OPTIONS: Final = "ctspine_bench"
"""Key of the plans that says what they were planned for."""

_MOST_AT_A_TIME: Final = 4  # as nnU-Net has it: a full-size case takes several GB to preprocess
_CONVOLUTIONS: Final = 2  # in a stage, as nnU-Net has them

FINGERPRINT: Final = "dataset_fingerprint.json"


def describe(job: Job) -> Iterator[str]:
    """Say what would be planned, and for which configurations cases would be preprocessed."""
    planning, _ = job.recipe.nnunet()
    memory = f" for {planning.gpu_memory_gb:g} GB" if planning.gpu_memory_gb else ""
    if not is_planned(job):
        yield f"look at all training cases and plan with nnU-Net's {planning.planner}{memory} → {job.plans_file}"
    for configuration in job.configurations:
        if is_planned(job) and _is_preprocessed(job, configuration):
            yield f"nothing: all training cases are preprocessed for {configuration}"
        else:
            yield f"preprocess the training cases for {configuration} into {job.preprocessed}, those that are missing"


def run(job: Job, progress: ProgressOf) -> Iterable[str]:
    """Plan, then preprocess; both only where it has not been done.

    Raises:
        BaselineError: E_DATASET: nothing was prepared, there are plans of another kind, or nnU-Net plans no such
            configuration for this data. E_PROGRAM.
    """
    _check_registered(job)
    if not is_planned(job):
        make_plans(job, progress)
    _check_configurations(job)
    for configuration in job.configurations:
        _preprocess(job, configuration, progress)
    return ()


def is_planned(job: Job) -> bool:
    """Return whether there are the plans that a recipe asks for, of the cases that are registered.

    Raises:
        BaselineError: E_DATASET: there are plans of another kind.
    """
    if not job.plans_file.is_file() or not _is_of_registered_cases(job):
        return False
    plans = read_plans(job)
    options = _options(job)
    if plans.get(OPTIONS) not in {None, json.dumps(options)}:
        raise BaselineError(
            "E_DATASET",
            job.plans_file,
            expected=f"plans for {options}",
            found=f"plans for {plans[OPTIONS]}",
            advice="Choose another --work folder: networks may have been trained on these.",
        )
    planning = job.recipe.nnunet()[0]
    if OPTIONS not in plans:
        return False
    if planning.override is None:
        return True
    planned, base = (
        plans["configurations"].get(name) for name in (planning.override.name, planning.configurations[-1])
    )
    return bool(planned and base and planned == _overridden(job, base))


def read_plans(job: Job) -> dict[str, Any]:
    """Return nnU-Net's plans."""
    plans: dict[str, Any] = json.loads(job.plans_file.read_text("utf-8"))
    return plans


def _is_of_registered_cases(job: Job) -> bool:
    """Return whether what nnU-Net has planned is of the cases that are registered now: it keeps a copy of the file."""
    registered, planned = job.raw / DATASET, job.preprocessed / DATASET
    return registered.is_file() and planned.is_file() and registered.read_bytes() == planned.read_bytes()


def _check_registered(job: Job) -> None:
    registered = job.raw / DATASET
    if not registered.is_file():
        raise BaselineError(
            "E_DATASET",
            registered,
            expected="registered training cases",
            found="no such file",
            advice=f"Call `ctspine-baseline prepare {job.recipe.slug}` first.",
        )


def planned_configuration(job: Job, name: str) -> dict[str, Any]:
    """Return a planned configuration with what it inherits."""
    return _resolved(read_plans(job)["configurations"], name)


def _resolved(configurations: dict[str, Any], name: str) -> dict[str, Any]:
    own: dict[str, Any] = configurations[name]
    inherited = _resolved(configurations, own["inherits_from"]) if "inherits_from" in own else {}
    return inherited | own


def check_preprocessed(job: Job, configuration: str) -> None:
    """Raise E_DATASET unless every registered case is preprocessed: nnU-Net would train on those that are there."""
    registered, done = _registered(job), _preprocessed(job, configuration)["cases"]
    if set(done) != registered:
        raise BaselineError(
            "E_DATASET",
            _preprocessed_folder(job, configuration),
            expected=f"all {len(registered)} training cases, preprocessed for {configuration}",
            found=f"{len(done)} of them",
            advice=f"Call `ctspine-baseline plan {job.recipe.slug}`: it goes on where it was.",
        )


def _is_preprocessed(job: Job, configuration: str) -> bool:
    """Return whether all cases were preprocessed by these plans, of these files; nnU-Net need not be asked then."""
    state = _preprocessed(job, configuration)
    made_of = [sha256_of(job.plans_file), sha256_of(job.preprocessed / DATASET)]
    return state["made_of"] == made_of and set(state["cases"]) == _registered(job)


def _preprocessed(job: Job, configuration: str) -> dict[str, list[str]]:
    """Return which cases are preprocessed, and when all were, the digests of what they were made of."""
    folder = _preprocessed_folder(job, configuration)
    path = folder.with_name(f"{folder.name}{PREPROCESSED}")
    if not path.is_file():
        return {"cases": [], "made_of": []}
    state: dict[str, list[str]] = json.loads(path.read_text("utf-8"))
    return state


def _preprocessed_folder(job: Job, configuration: str) -> Path:
    identifier: str = planned_configuration(job, configuration)["data_identifier"]
    return job.preprocessed / identifier


def _registered(job: Job) -> set[str]:
    return set(json.loads((job.raw / DATASET).read_text("utf-8"))["dataset"])


def _options(job: Job) -> dict[str, Any]:
    planning = job.recipe.nnunet()[0].model_dump(mode="json")
    return {name: planning[name] for name in ("planner", "gpu_memory_gb", "spacing_mm")}


def make_plans(job: Job, progress: ProgressOf) -> None:
    """Let nnU-Net look at the training cases, unless it has, and plan.

    Raises:
        BaselineError: E_PROGRAM.
    """
    planning, _ = job.recipe.nnunet()
    arguments = ["-d", job.dataset_id, "-pl", planning.planner, "-npfp", str(job.workers), "--no_pp", "--no_pbar"]
    job.data_root()  # nnU-Net reads the cases
    if not (job.preprocessed / FINGERPRINT).is_file() or not _is_of_registered_cases(job):
        arguments.append("--clean")
    if planning.gpu_memory_gb:
        arguments += ["-gpu_memory_target", str(planning.gpu_memory_gb)]
    if planning.spacing_mm:
        arguments += ["-overwrite_target_spacing", *map(str, planning.spacing_mm)]
    with progress("Planning", None) as shown:
        # With no process for augmentation nnU-Net plans nothing.
        run_nnunet(job, ["plan", *arguments], variables={"nnUNet_n_proc_DA": "1"}, on_line=shown.say)
    plans = read_plans(job)
    plans[OPTIONS] = json.dumps(_options(job))
    if planning.override:
        base = plans["configurations"][planning.configurations[-1]]
        plans["configurations"][planning.override.name] = _overridden(job, base)
    write_json(plans, job.plans_file)


def _overridden(job: Job, base: dict[str, Any]) -> dict[str, Any]:
    planning, _ = job.recipe.nnunet()
    override = planning.override
    assert override is not None  # noqa: S101 -- for the type checker: the caller has looked
    architecture, stages = deepcopy(base["architecture"]), len(override.strides)
    architecture["arch_kwargs"] |= {
        "n_stages": stages,
        "strides": [list(stride) for stride in override.strides],
        "kernel_sizes": [[3, 3, 3]] * stages,
        "n_conv_per_stage": [_CONVOLUTIONS] * stages,
        "n_conv_per_stage_decoder": [_CONVOLUTIONS] * (stages - 1),
        "features_per_stage": [min(override.features * 2**stage, override.max_features) for stage in range(stages)],
    }
    return {
        "inherits_from": planning.configurations[-1],
        "patch_size": list(override.patch_size),
        "batch_size": override.batch_size,
        "architecture": architecture,
    }


def _check_configurations(job: Job) -> None:
    planned = read_plans(job)["configurations"]
    for configuration in job.configurations:
        if configuration not in planned:
            raise BaselineError(
                "E_DATASET",
                job.plans_file,
                expected=f"a configuration {configuration}",
                found=f"plans of {', '.join(planned)}",
                advice="nnU-Net plans no low resolution where a patch covers a quarter of a case: use another recipe.",
            )


def _preprocess(job: Job, configuration: str, progress: ProgressOf) -> None:
    planning, _ = job.recipe.nnunet()
    is_stage = configuration != job.configurations[-1]
    if not is_stage and _is_preprocessed(job, configuration):
        return
    job.data_root()  # nnU-Net reads the cases
    with progress(f"Preprocessing for {configuration}", len(_registered(job))) as shown:
        workers = min(job.workers, _MOST_AT_A_TIME)
        arguments = [job.dataset, planning.plans, configuration, str(workers), *(["labels"] if is_stage else [])]
        run_nnunet(job, ["preprocess", *arguments], on_line=counting(shown))
