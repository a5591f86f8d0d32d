"""Evaluation suite and leaderboard for the CTSpine1K vertebra segmentation benchmark.

The names in `__all__` are the public interface. They are imported on first use: the command line answers `--help`
without loading a compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctspine_bench.anatomy import VERTEBRAE, LabelMap
    from ctspine_bench.errors import (
        ArchiveError,
        BenchError,
        CaseError,
        FileError,
        GeometryError,
        InputError,
        LabelError,
        SubmissionError,
        UsageError,
    )
    from ctspine_bench.evaluate import SubmissionScore, score_case, score_submission
    from ctspine_bench.records import CaseScore, Grid, Identification, LabelVolume, VertebraScore
    from ctspine_bench.results import write_results
    from ctspine_bench.scoring import score_arrays
    from ctspine_bench.testsets import TestSet, official
    from ctspine_bench.volumes import read_labels, write_labels

__version__ = "0.1.0"

__all__ = [
    "VERTEBRAE",
    "ArchiveError",
    "BenchError",
    "CaseError",
    "CaseScore",
    "FileError",
    "GeometryError",
    "Grid",
    "Identification",
    "InputError",
    "LabelError",
    "LabelMap",
    "LabelVolume",
    "SubmissionError",
    "SubmissionScore",
    "TestSet",
    "UsageError",
    "VertebraScore",
    "__version__",
    "official",
    "read_labels",
    "score_arrays",
    "score_case",
    "score_submission",
    "write_labels",
    "write_results",
]

_HOME = {
    "anatomy": ("VERTEBRAE", "LabelMap"),
    "errors": (
        "ArchiveError",
        "BenchError",
        "CaseError",
        "FileError",
        "GeometryError",
        "InputError",
        "LabelError",
        "SubmissionError",
        "UsageError",
    ),
    "evaluate": ("SubmissionScore", "score_case", "score_submission"),
    "records": ("CaseScore", "Grid", "Identification", "LabelVolume", "VertebraScore"),
    "results": ("write_results",),
    "scoring": ("score_arrays",),
    "testsets": ("TestSet", "official"),
    "volumes": ("read_labels", "write_labels"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"ctspine_bench.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
