"""Every recipe is planned by nnU-Net itself, for data of the sizes that CTSpine1K has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from test_recipes import ROWS

from ctspine_baselines.recipe import read_recipe
from ctspine_baselines.steps import plan, prepare
from ctspine_bench.errors import BaselineError
from ctspine_bench.phantom import TRUNK_SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import ProgressOf


def fingerprint(n_cases: int) -> dict[str, Any]:
    """What nnU-Net would find in full-size cases: their spacing and size after Table 1 of the paper."""
    rng = np.random.default_rng(0)
    specs = [
        source.draw_spec(rng, size="full")
        for source, share in zip(TRUNK_SOURCES, (480, 20, 90, 20), strict=True)
        for _ in range(share * n_cases // 610)
    ]
    properties = {
        "mean": 300.0, "median": 290.0, "std": 180.0, "min": -1000.0, "max": 3000.0, "percentile_00_5": -40.0,
        "percentile_99_5": 900.0,
    }  # fmt: skip
    return {
        "spacings": [list(reversed(spec.spacing_mm)) for spec in specs],
        "shapes_after_crop": [list(reversed(spec.shape)) for spec in specs],
        "foreground_intensity_properties_per_channel": {"0": properties},
        "median_relative_size_after_cropping": 1.0,
    }


@pytest.fixture
def prepared(job: Job, progress: ProgressOf) -> Job:
    """The training cases are registered, and nnU-Net has looked at them."""
    prepare.run(job, progress)
    job.preprocessed.mkdir(parents=True)
    (job.preprocessed / "dataset.json").write_bytes((job.raw / "dataset.json").read_bytes())
    (job.preprocessed / "dataset_fingerprint.json").write_text(json.dumps(fingerprint(610)), encoding="utf-8")
    return job


def test_all_rows_are_planned(prepared: Job, progress: ProgressOf) -> None:
    """Each recipe gets its configurations; default and residual networks differ, and the row of the paper is nnU-Net's.

    128 voxels along each side and two patches in a batch are what nnU-Net's default planner is known for with CT of
    submillimetre voxels and 8 GB.
    """
    planned = {}
    for name in ROWS:
        job = replace(prepared, recipe=read_recipe(name))
        if not plan.is_planned(job):
            plan.make_plans(job, progress)
        assert plan.is_planned(job)
        configurations = plan.read_plans(job)["configurations"]
        assert set(job.configurations) <= configurations.keys()
        planned[name] = configurations["3d_fullres"]
    networks = {name: each["architecture"]["network_class_name"].rpartition(".")[2] for name, each in planned.items()}
    assert networks == {
        "nnunet-3dfullres": "PlainConvUNet",
        "nnunet-lowres-cascade": "PlainConvUNet",
        "nnunet-nomirroring": "PlainConvUNet",
        "nnunet-resenc-l": "ResidualEncoderUNet",
        "nnunet-resenc-m": "ResidualEncoderUNet",
    }
    assert planned["nnunet-3dfullres"] == planned["nnunet-nomirroring"] == planned["nnunet-lowres-cascade"]
    paper = planned["nnunet-3dfullres"]
    assert (paper["patch_size"], paper["batch_size"]) == ([128, 128, 128], 2)
    sizes = {name: np.prod(each["patch_size"]) * each["batch_size"] for name, each in planned.items()}
    assert sizes["nnunet-resenc-l"] > sizes["nnunet-resenc-m"]


def test_plans_of_another_kind_are_not_replaced(prepared: Job) -> None:
    """Plans that were made for other options may have been trained with: another work folder is asked for."""
    plans = {plan.OPTIONS: json.dumps({"planner": "Else"}), "configurations": {}}
    prepared.plans_file.write_text(json.dumps(plans), encoding="utf-8")
    with pytest.raises(BaselineError, match="--work") as error:
        plan.is_planned(prepared)
    assert error.value.code == "E_DATASET"


def test_nothing_is_planned_before_cases_are_registered(job: Job, progress: ProgressOf) -> None:
    """The step that is missing is named."""
    assert not plan.is_planned(job)
    with pytest.raises(BaselineError, match="ctspine-baseline prepare nnunet-3dfullres"):
        plan.run(job, progress)


def test_a_failed_program_shows_its_last_lines(prepared: Job, progress: ProgressOf, tmp_path: Path) -> None:
    """The error names the log and ends with what nnU-Net said."""
    (prepared.preprocessed / "dataset_fingerprint.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BaselineError, match="KeyError: 'spacings'") as error:
        plan.make_plans(prepared, progress)
    assert error.value.code == "E_PROGRAM"
    assert error.value.path == str(prepared.logs / "plan.log")
    assert "KeyError" in (prepared.logs / "plan.log").read_text("utf-8")


def test_training_waits_for_all_cases(prepared: Job, progress: ProgressOf) -> None:
    """nnU-Net would train on whatever cases are preprocessed; here all that are registered must be."""
    configuration = {"data_identifier": "nnUNetPlans_3d_fullres", "batch_size": 2}
    prepared.plans_file.write_text(json.dumps({"configurations": {"3d_fullres": configuration}}), encoding="utf-8")
    with pytest.raises(BaselineError, match=r"all 610 training cases.*found 0 of them"):
        plan.check_preprocessed(prepared, "3d_fullres")
    cases = sorted(json.loads((prepared.raw / "dataset.json").read_text("utf-8"))["dataset"])
    state = prepared.preprocessed / "nnUNetPlans_3d_fullres.done.json"
    state.write_text(json.dumps({"digest": "", "cases": cases[:-1]}), encoding="utf-8")
    with pytest.raises(BaselineError, match="found 609 of them"):
        plan.check_preprocessed(prepared, "3d_fullres")
    state.write_text(json.dumps({"digest": "", "cases": cases}), encoding="utf-8")
    plan.check_preprocessed(prepared, "3d_fullres")


@pytest.mark.parametrize("name", ["nnunet-phantom", "nnunet-phantom-gpu"])
def test_recipes_for_phantoms_are_planned(prepared: Job, progress: ProgressOf, name: str) -> None:
    """nnU-Net plans what they ask for; the network of the demo has the stages of its recipe."""
    recipe = read_recipe(name).model_copy(update={"data": "ctspine1k"})
    job = replace(prepared, recipe=recipe)
    plan.make_plans(job, progress)
    assert plan.is_planned(job)
    planned = plan.planned_configuration(job, recipe.configuration)
    override = recipe.nnunet()[0].override
    if override:
        assert planned["spacing"] == [6.0, 6.0, 6.0]
        assert planned["patch_size"] == list(override.patch_size)
        assert planned["architecture"]["arch_kwargs"]["strides"] == [list(stride) for stride in override.strides]
        assert planned["architecture"]["arch_kwargs"]["features_per_stage"] == [16, 32, 64, 128, 256, 256]
    else:
        assert planned["patch_size"] == [128, 128, 128]
