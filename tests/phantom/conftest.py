"""Whole spines at fine spacing, made once for all tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ctspine_bench.phantom.case import CaseSpec, PhantomCase, make_case
from ctspine_bench.phantom.spine import Spine, make_spine


@dataclass(frozen=True)
class Person:
    """A case of a whole spine, and the spine that it shows."""

    case: PhantomCase
    spine: Spine

    def labels_at(self, points_mm: np.ndarray) -> np.ndarray:
        """The labels at positions `(n, 3)` in the patient frame."""
        inverse = np.linalg.inv(self.case.grid.affine)
        index = np.rint(points_mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        return self.case.labels[tuple(index.T)]


def make_person(seed: int, n_lumbar: int = 5) -> Person:
    spec = CaseSpec((134, 205, 746), (0.9, 0.9, 0.9), n_lumbar=n_lumbar)
    return Person(make_case(spec, np.random.default_rng(seed)), make_spine(n_lumbar, np.random.default_rng(seed)))


@pytest.fixture(scope="session", params=[3])
def person(request: pytest.FixtureRequest) -> Person:
    return make_person(request.param)
