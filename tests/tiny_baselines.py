"""A benchmark and recipes so small that nnU-Net plans, trains and predicts in a minute or two on two cores."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from ctspine_bench.phantom import make_benchmark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_RECIPE = """
name = "Tiny"
description = "A network too small to be good."
untrained = true
data = "phantom"
licence = "CC0-1.0"

[planning]
gpu_memory_gb = 0.5
spacing_mm = [8.0, 8.0, 8.0]

[planning.override]
name = "3d_narrow"
patch_size = [48, 24, 24]
strides = [[1, 1, 1], [2, 2, 2], [2, 2, 2]]
batch_size = 2
features = FEATURES
max_features = 32

[training]
trainer = "TRAINER"
epochs = EPOCHS
iterations = ITERATIONS
validation_iterations = 1
seed = 0

[learned]
data = ["training set of the phantom benchmark"]
"""


def write_recipe(
    path: Path, *, epochs: int, iterations: int, features: int = 4, trainer: str = "CTSpineTrainerShort"
) -> Path:
    """Write a recipe for the phantom benchmark and return its path."""
    values = {"EPOCHS": epochs, "ITERATIONS": iterations, "FEATURES": features, "TRAINER": trainer}
    text = _RECIPE
    for name, value in values.items():
        text = text.replace(name, str(value))
    path.write_text(text, encoding="utf-8")
    return path


def write_benchmark(folder: Path) -> Path:
    """Write a phantom benchmark of four training cases and one case of each test set, and return its folder."""
    make_benchmark(folder, cases_per_source=1, verse_cases=2, training_cases_per_source=1, with_images=True)
    for test_set in ("public", "private", "verse"):
        for kind in ("labels", "volumes"):
            for surplus in sorted((folder / test_set / kind).rglob("*.nii.gz"))[1:]:
                surplus.unlink()
    return folder


def start(arguments: list[str], variables: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """Start `ctspine-baseline` as a process of its own, on the CPU."""
    device = [] if arguments[0] == "list" or "--device" in arguments else ["--device", "cpu"]
    return subprocess.Popen(
        [sys.executable, "-m", "ctspine_baselines", *arguments, *device],
        env=os.environ | {"COLUMNS": "100"} | dict(variables),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def call(arguments: list[str], variables: Mapping[str, str], folder: Path) -> str:
    """Run `ctspine-baseline` to its end, which must be a good one, and return what it printed."""
    process = start(arguments, variables, folder)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed
    return printed
