"""Methods that others have trained: their program is called for each case, and its labels become ours."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from ctspine_baselines.predicted import is_newer
from ctspine_baselines.training_set import read_grid
from ctspine_bench.errors import BaselineError
from ctspine_bench.volumes import check_same_grid, read_labels, write_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ctspine_baselines.job import Job
    from ctspine_baselines.predicted import Case
    from ctspine_baselines.recipe import External
    from ctspine_baselines.steps.step import ProgressOf

OUTPUTS: Final = ".outputs"
"""The folder beside the test sets with what the program has written; what is put there is not made again."""


def predict(job: Job, cases: Sequence[Case], progress: ProgressOf) -> None:
    """Write the label maps that are missing.

    Raises:
        BaselineError: E_PROGRAM: the program is not there, or has failed.
        InputError: Its output cannot be read, or lies on another grid than the image.
    """
    method = job.recipe.external
    assert method is not None  # noqa: S101 -- for the type checker: the caller has looked
    with progress("Predicting", len(cases)) as shown:
        for case in cases:
            raw, output = case.output(job.predictions() / OUTPUTS), case.output(job.predictions())
            if not raw.exists() and not output.exists():
                _call(method, case.image, raw)
            if raw.exists() and not is_newer(output, raw):
                convert(raw, case.image, output, method.label_map)
            shown.advance(case.name)


def convert(raw: Path, image: Path, output: Path, label_map: str) -> None:
    """Write the label map of another method with the labels of CTSpine1K.

    Args:
        raw: What the method has written: a file, or a folder of masks.
        image: The CT, on whose grid it must lie.
        output: Where to write.
        label_map: What its values mean.

    Raises:
        InputError: It cannot be read, or lies on another grid than the image.
    """
    volume = read_labels(raw, label_map)
    check_same_grid(read_grid(image), volume)
    write_labels(output, volume.labels, volume.grid)


def _call(method: External, image: Path, output: Path) -> None:
    program = shutil.which(method.command[0])
    if program is None:
        raise BaselineError(
            "E_PROGRAM",
            method.command[0],
            expected="this program to be installed",
            found="none of this name",
            advice=f"{method.install} Or put its outputs into {output.parent}, as <case>.nii.gz.",
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f".part-{output.name}")
    places = {"{image}": str(image), "{output}": str(part)}
    arguments = [places.get(argument, argument) for argument in method.command[1:]]
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 -- no shell
    if done.returncode or not part.exists():
        last = " / ".join(done.stderr.strip().splitlines()[-3:]) or "nothing on standard error"
        raise BaselineError(
            "E_PROGRAM",
            image,
            expected=f"{method.command[0]} to write a label map",
            found=f"exit code {done.returncode}: {last}",
            advice="Call it by hand on this image.",
        )
    part.replace(output)
