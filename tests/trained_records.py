"""What results.json says about the training of a baseline, made by hand, and records that say so."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from board_records import change_results

if TYPE_CHECKING:
    from pathlib import Path

EPOCHS = 12


def stage(**changes: object) -> dict[str, Any]:
    """What is said about one trained network."""
    return {
        "configuration": "3d_fullres",
        "patch_size": [128, 128, 128],
        "spacing": [1.0, 0.75, 0.75],
        "batch_size": 2,
        "architecture": "PlainConvUNet",
        "trainer": "CTSpineTrainer",
        "trainers_sha256": "1" * 64,
        "iterations_per_epoch": 250,
        "parameters": 31_198_836,
        "weights_sha256": "2" * 64,
        "epochs": EPOCHS,
        "seconds": 9_000.0,
        "sessions": 3,
        "peak_memory_gib": 14.2,
        "peak_gpu_memory_gib": 7.9,
        "augmentation_processes": None,
        "versions": {"python": "3.11.7", "torch": "2.13.0", "cuda": "13.0"},
        "hardware": {"gpu": "A GPU", "gpus": 1, "cpu": "A CPU", "cores": 16},
        "mixed_sessions": False,
        "curves": {
            "training_loss": [1.0 / (epoch + 1) for epoch in range(EPOCHS)],
            "pseudo_dice": [None, *(epoch / EPOCHS for epoch in range(1, EPOCHS))],
            "pseudo_dice_ema": [epoch / EPOCHS for epoch in range(EPOCHS)],
        },
        **changes,
    }


def training(**changes: object) -> dict[str, Any]:
    """What is said about a baseline."""
    return {
        "recipe": "nnunet-3dfullres",
        "recipe_sha256": "3" * 64,
        "postprocessing": None,
        "cases": 609,
        "cases_sha256": "4" * 64,
        "cases_left_out": ["liver_1"],
        "files_sha256": "8" * 64,
        "dataset_sha256": "5" * 64,
        "fingerprint_sha256": "6" * 64,
        "plans_sha256": "7" * 64,
        "runs": 1,
        "seed": "None: nnU-Net has none.",
        "stages": [stage()],
        **changes,
    }


def copy_as_baseline(made: Path, submissions: Path, slug: str, said: dict[str, Any]) -> Path:
    """Copy a record of a made board, and make it that of a baseline; return its folder."""
    folder = shutil.copytree(made / "submissions" / slug, submissions / slug)
    declaration = folder / "submission.yaml"
    declaration.write_text(
        declaration.read_text("utf-8").replace("kind: simulated", "kind: baseline"), encoding="utf-8"
    )
    change_results(folder, lambda results: results.update(kind="baseline", training=said))
    return folder
