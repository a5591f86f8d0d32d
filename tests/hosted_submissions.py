"""A small phantom-like benchmark with a private test set, and submissions to it as intake delivers them."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from label_volumes import column

from ctspine_bench import Grid, aggregate, write_labels
from ctspine_bench.hosting.disclosure import results as disclosure
from ctspine_bench.hosting.intake_record import Intake, IntakeCase
from ctspine_bench.submissions.declaration import Declaration
from ctspine_bench.testsets import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray

    from ctspine_bench.submissions.declaration import Archive

SPACING_MM = (1.0, 1.0, 2.0)
PRIVATE_CASES = {
    **{f"CTC-secret-{n}": 18 for n in range(7)},
    **{f"liver_9{n}": 19 for n in range(6)},
    **{f"HN_P9{n}": 3 for n in range(3)},
    "volume-covid19-A-9": 21,
}
"""Case of the private phantom set → its first label; each has five vertebrae."""

PUBLIC_CASES = {"liver_1": 18, "liver_2": 19, "HN_P001": 3}
SETS = {"public": PUBLIC_CASES, "private": PRIVATE_CASES, "verse": {"sub-verse004": 18}}


def grid_of(labels: NDArray[np.uint8]) -> Grid:
    return Grid(labels.shape, np.diag([*SPACING_MM, 1.0]))


def write_references(folder: Path, sets: Mapping[str, Mapping[str, int]] = SETS) -> Path:
    """Write the references of a benchmark as `phantom.make_benchmark` lays them out; return the folder."""
    described = {}
    for test_set, cases in sets.items():
        for case_id, first in cases.items():
            labels = column(first=first)
            place = folder / test_set / "labels" / str(source_of(case_id))
            place.mkdir(parents=True, exist_ok=True)
            write_labels(place / f"{case_id}_seg.nii.gz", labels, grid_of(labels))
            described[case_id] = {"test_set": test_set}
    (folder / "phantom.json").write_text(json.dumps({"cases": described}))
    return folder


def prediction_of(case_id: str, first: int, seed: int = 0) -> NDArray[np.uint8]:
    """A prediction with errors that differ from case to case: outlines, a missed and a spurious vertebra, a shift."""
    rng = np.random.default_rng([seed, *case_id.encode()])
    labels = column(first=first)
    z = np.flatnonzero(labels.any(axis=(0, 1)))
    for level in np.unique(labels[labels > 0]):
        cut = int(rng.integers(0, 4))
        part = labels[:, 2 : 2 + cut]
        part[part == level] = 0
    kind = rng.random()
    if kind < 0.3:
        labels[labels == first] = 0
    elif kind < 0.5:
        labels[0:2, 0:2, z[0] : z[0] + 2] = 1
    elif kind < 0.6:
        labels[labels > 0] -= 1
    return labels


def make_intake(
    folder: Path, test_set: str, predictions: Mapping[str, NDArray[np.uint8]], archive: Archive, **more: Any
) -> Intake:
    """Write canonical predictions as intake would, and describe them."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = {}
    for case_id, labels in predictions.items():
        path = folder / f"{case_id}.nii.gz"
        write_labels(path, labels, grid_of(labels))
        cases[case_id] = IntakeCase(f"{case_id}.nii.gz", hashlib.sha256(path.read_bytes()).hexdigest(), ())
    return Intake(test_set, folder, archive, cases, **{"refused": {}, "n_skipped": 0, **more})


def make_intakes(
    folder: Path, sets: Mapping[str, Mapping[str, int]] = SETS, seed: int = 0, declaration: Declaration | None = None
) -> dict[str, Intake]:
    """The predictions of a whole submission."""
    archives = (declaration or declare(*(f"phantom-{name}" for name in sets), seed=seed)).test_sets
    return {
        f"phantom-{name}": make_intake(
            folder / name,
            f"phantom-{name}",
            {case: prediction_of(case, first, seed) for case, first in cases.items()},
            archives[f"phantom-{name}"],
        )
        for name, cases in sets.items()
    }


def remember_aggregates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aggregate the same case table once: most tests score the same few predictions."""

    def remembered(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            key = (function.__name__, hashlib.sha256(arguments[-1].to_csv().encode()).hexdigest())
            if key not in _REMEMBERED:
                _REMEMBERED[key] = function(*arguments)
            return copy.deepcopy(_REMEMBERED[key])

        return call

    for name in ("evaluate.summarise", "hosting.verifying.summarise"):
        monkeypatch.setattr(f"ctspine_bench.{name}", remembered(aggregate.summarise))
    for name in ("disclosure.results.public_aggregates", "verifying.public_aggregates"):
        monkeypatch.setattr(f"ctspine_bench.hosting.{name}", remembered(_public_aggregates))


_public_aggregates = disclosure.public_aggregates
_REMEMBERED: dict[tuple[str, str], Any] = {}


def declare(
    *test_sets: str, team: str = "A Team", owners: tuple[str, ...] = ("octocat",), seed: int = 0
) -> Declaration:
    """A valid declaration of archives that nobody ever sees."""
    names = test_sets or tuple(f"phantom-{name}" for name in SETS)
    return Declaration(
        schema_version=1,
        kind="scored",
        name="A method",
        team=team,
        contact="team@example.org",
        owners=owners,
        date=dt.date(2026, 1, 1),
        description="A method.",
        licence="CC-BY-4.0",
        training={"data": ("CTSpine1K training set",), "uses_verse": False, "uses_test_cases": False},
        coverage="complete" if len(names) == 3 else "partial",
        coverage_reason=None if len(names) == 3 else "a test",
        test_sets={
            name: {
                "url": f"https://zenodo.org/{name}.zip",
                "sha256": hashlib.sha256(f"{name}{seed}".encode()).hexdigest(),
                "size": 1,
            }
            for name in names
        },
    )
