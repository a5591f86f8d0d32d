"""Shapes with known volume, overlap, surface and distance: how near the metrics come, and that the document says so."""

from __future__ import annotations

import importlib.util
import sys
from math import pi
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
COARSE, MIDDLE, FINE = 0, 1, 2
"""Positions of 2, 1 and 0.5 mm isotropic among the spacings."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """benchmarks/analytic_shapes.py as a module."""
    path = ROOT / "benchmarks" / "analytic_shapes.py"
    if not path.exists():
        pytest.skip("benchmarks/ is not part of this copy")
    spec = importlib.util.spec_from_file_location("analytic_shapes", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["analytic_shapes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def errors(script: ModuleType) -> dict[str, tuple[float, ...]]:
    """Number → relative deviation from the truth at each spacing."""
    return {m.name: tuple(value / m.true - 1 for value in m.measured) for m in script.measurements()}


def test_document_has_the_table_that_the_script_prints(script: ModuleType) -> None:
    """docs/CORRECTNESS.md shows these measurements and no older ones."""
    assert script.markdown() in (ROOT / "docs" / "CORRECTNESS.md").read_text(encoding="utf-8")


def test_fine_voxels_come_near_the_truth(errors: dict[str, tuple[float, ...]]) -> None:
    """At 0.5 mm volumes and DSC are within 0.1 %, HD95 within 1 %, HD100 within 4 % of the true value."""
    bounds = {"volume": 0.001, "DSC": 0.001, "HD95": 0.01, "HD100": 0.04, "ASSD": 0.07, "NSD": 0.15}
    for name, deviations in errors.items():
        if bound := bounds.get(name.split()[0]):
            assert abs(deviations[FINE]) < bound, name


@pytest.mark.parametrize("quantity", ["volume", "DSC", "ASSD", "NSD", "HD100", "surface of a cube"])
def test_errors_go_down_as_voxels_shrink(errors: dict[str, tuple[float, ...]], quantity: str) -> None:
    """From 2 over 1 to 0.5 mm no error grows by more than rounding, and the last is at most half the first."""
    for name, deviations in errors.items():
        if name.startswith(quantity):
            coarse, middle, fine = (abs(deviations[i]) for i in (COARSE, MIDDLE, FINE))
            assert fine <= middle + 1e-9
            assert fine <= coarse / 2 + 1e-9, name


def test_binary_marching_cubes_overestimate_a_ball(errors: dict[str, tuple[float, ...]]) -> None:
    """The area of a ball is 6 to 10 % too large at any isotropic spacing: it does not converge."""
    (deviations,) = (d for name, d in errors.items() if name.startswith("surface of a ball"))
    assert all(0.06 < deviations[i] < 0.10 for i in (COARSE, MIDDLE, FINE))


def test_lens_formula(script: ModuleType) -> None:
    """Balls at distance 0 overlap fully, at 2 r not at all, and at r by 5/16 of their volume."""
    assert [script.lens_dsc(7, d) for d in (0, 7, 14)] == [1, 5 / 16, 0]


def test_nsd_of_balls_by_sampling(script: ModuleType) -> None:
    """The closed form agrees with random points on one sphere."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200_000, 3))
    points *= 15 / np.linalg.norm(points, axis=1, keepdims=True)
    distance = np.abs(np.linalg.norm(points - [6, 0, 0], axis=1) - 15)
    assert (distance <= 2).mean() == pytest.approx(script.ball_nsd(15, 6, 2), abs=0.005)


def test_a_single_box_is_exact(script: ModuleType) -> None:
    """A box on voxel planes has exactly its volume."""
    box = script.box((-3, -3, -3), (3, 3, 3))
    assert script.measure(box, box, (1.0, 1.0, 1.0))["volume"] == pytest.approx(0.216)


def test_ball_volume_is_not_biased(script: ModuleType) -> None:
    """Drawing by voxel centres gives the true volume on average over positions of the grid: 40 draws, 0.2 %."""
    rng = np.random.default_rng(0)
    volumes = []
    for centre_mm in rng.uniform(-1, 1, (40, 3)):
        ball = script.ellipsoid(tuple(centre_mm), (12, 12, 12))
        volumes.append(script.measure(ball, ball, (2.0, 2.0, 2.0))["volume"])
    assert np.mean(volumes) == pytest.approx(4 / 3 * pi * 12**3 / 1000, rel=0.002)
