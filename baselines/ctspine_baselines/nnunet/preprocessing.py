"""Preprocess the training cases for a configuration, those that are not there yet: nnU-Net would begin anew."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnunetv2.paths import nnUNet_preprocessed, nnUNet_raw
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from ctspine_baselines.programs import PREPROCESSED
from ctspine_bench.files import replacing, sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# What decides about preprocessed data; configurations that differ in their network alone share it.
_DECISIVE: Final = (
    "preprocessor_name", "spacing", "normalization_schemes", "use_mask_for_norm", "resampling_fn_data",
    "resampling_fn_seg", "resampling_fn_data_kwargs", "resampling_fn_seg_kwargs",
)  # fmt: skip


def preprocess(dataset: str, plans_name: str, configuration: str, processes: str, *copy_labels: str) -> int:
    """Preprocess all cases of a data set, and print a line `done <case>` for each.

    Args:
        dataset: Its name, such as Dataset610_CTSpine1K.
        plans_name: The name of the plans.
        configuration: One of its configurations.
        processes: How many cases at a time.
        copy_labels: "labels" to keep the label maps at hand as well, for the stage of a cascade that is validated.
    """
    folder = Path(nnUNet_preprocessed) / dataset
    plans_file = folder / f"{plans_name}.json"
    plans = PlansManager(str(plans_file))
    manager = plans.get_configuration(configuration)
    dataset_json = json.loads((folder / "dataset.json").read_text("utf-8"))
    cases = get_filenames_of_train_images_and_targets(str(Path(nnUNet_raw) / dataset), dataset_json)
    output = folder / manager.data_identifier
    state = _digest(
        [
            {key: manager.configuration[key] for key in _DECISIVE},
            plans.plans["foreground_intensity_properties_per_channel"],
            plans.transpose_forward,
            dataset_json["training_files_sha256"],
        ]
    )
    done = _done(output, state)
    for case_id in done:
        print(f"done {case_id}", flush=True)  # noqa: T201 -- the step reads it
    missing = sorted(cases.keys() - done)
    if missing:
        with ProcessPoolExecutor(int(processes), multiprocessing.get_context("spawn")) as pool:
            tasks = [
                pool.submit(_preprocess, str(output / case_id), cases[case_id], plans, manager, dataset_json)
                for case_id in missing
            ]
            try:
                for task in as_completed(tasks):
                    done.add(task.result())
                    _write_state(output, state, done)
                    print(f"done {task.result()}", flush=True)  # noqa: T201
            finally:
                pool.shutdown(cancel_futures=True)
    _write_state(output, state, done, [sha256_of(plans_file), sha256_of(folder / "dataset.json")])
    if copy_labels:
        _copy_labels(cases, folder / "gt_segmentations")
    return 0


def _preprocess(
    output: str, files: dict[str, Any], plans: PlansManager, manager: Any, dataset_json: dict[str, Any]
) -> str:
    for leftover in (".b2nd", "_seg.b2nd", ".pkl"):  # of a run that was killed: it would be in the way
        Path(f"{output}{leftover}").unlink(missing_ok=True)
    manager.preprocessor_class(verbose=False).run_case_save(
        output, files["images"], files["label"], plans, manager, dataset_json
    )
    return Path(output).name


def _done(output: Path, state: str) -> set[str]:
    """Return which cases are done, and remove all that was made with other plans or of other cases."""
    try:
        found = json.loads(_state_file(output).read_text("utf-8"))
    except FileNotFoundError:
        found = {}
    if found.get("digest") == state:
        return set(found["cases"])
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    return set()


def _state_file(output: Path) -> Path:
    # Not inside: nnU-Net tells the kind of data by the endings of all files there.
    return output.with_name(f"{output.name}{PREPROCESSED}")


def _write_state(output: Path, state: str, done: set[str], made_of: Sequence[str] = ()) -> None:
    with replacing(_state_file(output)) as temporary:
        temporary.write_text(
            json.dumps({"digest": state, "cases": sorted(done), "made_of": list(made_of)}), encoding="utf-8"
        )


def _copy_labels(cases: dict[str, dict[str, Any]], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for case_id, files in cases.items():
        copy = folder / f"{case_id}.nii.gz"
        if not copy.exists():
            with replacing(copy) as temporary:
                shutil.copyfile(files["label"], temporary)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
