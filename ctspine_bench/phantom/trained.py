"""Networks that were really trained on the phantom benchmark: their predictions ship with the package, no weights.

The folder `networks` has one folder for each: `submission.yaml`, `results.json` with what it was trained with, and
`predictions/<test set>/<case>.nii.gz` for the benchmark that the demo makes. `ctspine-baseline` has written them.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctspine_bench.files import replacing
from ctspine_bench.phantom.benchmark import TEST_SETS
from ctspine_bench.submissions.records import read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.submissions.records import Record

_FOLDER: Final = Path(str(files("ctspine_bench").joinpath("phantom", "networks")))

TRAINED: Final = tuple(sorted(path.parent.name for path in _FOLDER.glob("*/submission.yaml")))
"""The names of their submissions."""


def trained_record(name: str) -> Record:
    """Return the record of a network as it was written when it was trained."""
    return read_record(_FOLDER / name)


def copy_predictions(name: str, benchmark: Path, out: Path) -> None:
    """Write `out/<test set>/<case>.nii.gz` for every case of a phantom benchmark that the network has predicted.

    Args:
        name: One of `TRAINED`.
        benchmark: What `make_benchmark` wrote, of the seed that the demo takes.
        out: Folder to write to; files of the same name are replaced.
    """
    for test_set, case_id in _cases(benchmark):
        source = _FOLDER / name / "predictions" / test_set / f"{case_id}.nii.gz"
        if source.exists():
            with replacing(out / test_set / source.name) as temporary:
                shutil.copyfile(source, temporary)


def _cases(benchmark: Path) -> Iterator[tuple[str, str]]:
    for test_set in TEST_SETS:
        for path in sorted((benchmark / test_set / "labels").glob("*/*_seg.nii.gz")):
            yield test_set, path.name.removesuffix("_seg.nii.gz")
