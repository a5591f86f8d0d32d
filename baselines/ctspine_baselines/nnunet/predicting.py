"""Predict cases with a trained network, through nnU-Net's predictor; each label map is checked before it counts."""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from nnunetv2.inference.export_prediction import export_prediction_from_logits
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.utilities.label_handling.label_handling import convert_labelmap_to_one_hot

from ctspine_baselines.training_set import read_grid
from ctspine_bench.volumes import check_same_grid, read_labels
from ctspine_bench.workers import available_cores

if TYPE_CHECKING:
    from concurrent.futures import Future

_PART = ".part"


def predict(request_file: str) -> int:
    """Predict the cases of a request, and print a line `done <case>` for each.

    While one case is predicted, the next one is preprocessed, and earlier ones are brought back to their own grid,
    which takes the most memory: 26 numbers for each voxel of the CT.

    Args:
        request_file: JSON: `model` (the folder of a trained configuration), `device`, `export_workers`, and `cases`,
            each with `image`, `output` and `previous`, the label map of the stage before, or null.
    """
    request = json.loads(Path(request_file).read_text("utf-8"))
    torch.set_num_threads(available_cores())
    predictor = nnUNetPredictor(device=torch.device(request["device"]), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(request["model"], use_folds=("all",))
    cases = request["cases"]
    pending: deque[Future[str]] = deque()
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(request["export_workers"]) as writer:
        coming = reader.submit(_read, predictor, cases[0])
        for case, following in zip(cases, [*cases[1:], None], strict=True):
            data, properties = coming.result()
            if following:
                coming = reader.submit(_read, predictor, following)
            logits = predictor.predict_logits_from_preprocessed_data(data).cpu()
            while len(pending) >= request["export_workers"]:
                print(f"done {pending.popleft().result()}", flush=True)  # noqa: T201 -- the step reads it
            pending.append(writer.submit(_write, predictor, case, logits, properties))
            del data, logits
        for written in pending:
            print(f"done {written.result()}", flush=True)  # noqa: T201
    return 0


def _read(predictor: nnUNetPredictor, case: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
    manager = predictor.configuration_manager
    data, labels, properties = manager.preprocessor_class(verbose=False).run_case(
        [case["image"]], case["previous"], predictor.plans_manager, manager, predictor.dataset_json
    )
    if case["previous"]:
        foreground = predictor.label_manager.foreground_labels
        data = np.vstack((data, convert_labelmap_to_one_hot(labels[0], foreground, data.dtype)))
    return torch.from_numpy(data), properties


def _write(predictor: nnUNetPredictor, case: dict[str, Any], logits: torch.Tensor, properties: dict[str, Any]) -> str:
    output = Path(case["output"])
    part = output.parent / _PART / output.name
    part.parent.mkdir(parents=True, exist_ok=True)
    export_prediction_from_logits(
        logits,
        properties,
        predictor.configuration_manager,
        predictor.plans_manager,
        predictor.dataset_json,
        str(part).removesuffix(".nii.gz"),
    )
    check_same_grid(read_grid(Path(case["image"])), read_labels(part))
    part.replace(output)
    return output.name.removesuffix(".nii.gz")
