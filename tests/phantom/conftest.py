"""A whole spine at fine spacing and a small benchmark, each made once for all tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.ndimage import find_objects

from ctspine_bench.phantom import make_benchmark
from ctspine_bench.phantom.case import CaseSpec, PhantomCase, make_case
from ctspine_bench.phantom.spine import Spine, make_spine

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Person:
    """A case of a whole spine, and the spine that it shows."""

    case: PhantomCase
    spine: Spine

    @cached_property
    def boxes(self) -> dict[int, tuple[slice, slice, slice]]:
        """The bounding box of each label."""
        found = enumerate(find_objects(self.case.labels), start=1)
        return {label: box for label, box in found if box is not None}

    @cached_property
    def voxels(self) -> dict[int, np.ndarray]:
        """The voxels `(n, 3)` of each label."""
        return {
            label: np.argwhere(self.case.labels[box] == label) + [part.start for part in box]
            for label, box in self.boxes.items()
        }

    def labels_at(self, points_mm: np.ndarray) -> np.ndarray:
        """The labels at positions `(n, 3)` in the patient frame."""
        inverse = np.linalg.inv(self.case.grid.affine)
        index = np.rint(points_mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        return self.case.labels[tuple(index.T)]


def make_person(seed: int, n_lumbar: int = 5) -> Person:
    spec = CaseSpec((101, 162, 612), (1.0, 1.0, 1.0), n_lumbar=n_lumbar)
    return Person(make_case(spec, np.random.default_rng(seed)), make_spine(n_lumbar, np.random.default_rng(seed)))


@pytest.fixture(scope="session", params=[3])
def person(request: pytest.FixtureRequest) -> Person:
    return make_person(request.param)


@pytest.fixture(scope="session")
def benchmark_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One case for each source in each set, two for VerSe; to be read, not written."""
    folder = tmp_path_factory.mktemp("phantom") / "benchmark"
    make_benchmark(folder, cases_per_source=1, verse_cases=2, workers=2)
    return folder
