"""How often intervals cover: what is printed, and a smaller simulation beside the one that measured it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from ctspine_bench.jackknife import PRIOR_DF
from ctspine_bench.rankings.coverage import measured, measured_coverage
from ctspine_bench.rankings.standings import standings
from ctspine_bench.testsets import SOURCES

if TYPE_CHECKING:
    from types import ModuleType

DOCUMENT = Path(__file__).parents[2] / "docs" / "CORRECTNESS.md"
SCORES = ("mean_of_vertebrae", "mean_rank", "mean_over_vertebrae", "per_case", "gap_score", "difference")


@pytest.mark.parametrize("score", SCORES)
def test_what_is_printed(score: str) -> None:
    """The share measured at the largest simulated n not above, where it is not 93 to 97 %; nothing under ten."""
    shares = measured()
    for n_cases, simulated_n in ((10, 10), (19, 10), (20, 20), (41, 41), (59, 41), (198, 198), (436, 400)):
        share = shares[simulated_n][score]
        assert measured_coverage(n_cases, score) == (None if 0.93 <= share <= 0.97 else share)
    assert measured_coverage(9, score) is None
    assert measured_coverage(10, "per_case") == shares[10]["per_case"] < 0.93


@pytest.mark.parametrize("score", SCORES)
def test_from_99_cases_on_intervals_cover_as_they_should(score: str) -> None:
    """The measured shares are between 93 and 97 %, so that nothing is printed beside an interval."""
    shares = {n: found[score] for n, found in measured().items() if n >= 99}
    assert set(shares) == {99, 150, 198, 400}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_it_was_measured_of_the_intervals_as_they_are() -> None:
    """The moderation that was simulated is the one in use: changed, everything is to be measured anew."""
    content = json.loads(files("ctspine_bench.rankings").joinpath("coverage.json").read_text("utf-8"))
    assert content["prior_df"] == PRIOR_DF


def test_equals_were_hardly_told_apart() -> None:
    """At no number of cases is anybody surely better, or first with 95 %, on more than 5 % of the boards of equals."""
    assert max(found["told_apart"] for found in measured().values()) <= 0.05
    assert max(found["first"] for found in measured().values()) <= 0.05


@pytest.mark.parametrize("name", ["docs/CORRECTNESS.md", "benchmarks/README.md"])
def test_documents_have_the_measured_table(simulated: ModuleType, name: str) -> None:
    """They print what the command printed, to a tenth of a percent."""
    path = Path(__file__).parents[2] / name
    if not path.exists():
        pytest.skip(f"{name} is not part of this copy")
    assert simulated.table(measured()) in path.read_text(encoding="utf-8")


def test_fields_of_view_are_those_of_the_data_set(simulated: ModuleType) -> None:
    """Simulated sources have as many cervical, thoracic and lumbar vertebrae a case as Table 1 counts, within 5 %."""
    counts = {  # of Deng et al., 2024: patients, cervical, thoracic, lumbar; an L6 is counted among the lumbar here
        "COLONOG": (784, 4, 4039, 3911),
        "HNSCC-3DCT-RT": (31, 217, 226, 0),
        "MSD-T10": (150, 132, 1198, 744),
        "COVID-19": (40, 66, 479, 57),
    }
    rng = np.random.default_rng(2)
    for source, (patients, *expected) in counts.items():
        first, last = simulated.fields_of_view(np.full(40_000, SOURCES.index(source)), rng)
        ends = ((0, 6), (7, 18), (19, 24))
        found = [np.maximum(np.minimum(last, high) - np.maximum(first, low) + 1, 0).mean() for low, high in ends]
        assert found == pytest.approx([n / patients for n in expected], rel=0.05, abs=0.02), source


def test_few_cases_have_the_neck(simulated: ModuleType) -> None:
    """A board of 198 has the sources of the private test set, and about ten cases with a C1 to C4 (8 to 15)."""
    rng = np.random.default_rng(3)
    assert dict(zip(SOURCES, simulated.composition(198, rng).tolist(), strict=True)) == {
        "COLONOG": 152, "HNSCC-3DCT-RT": 6, "MSD-T10": 30, "COVID-19": 10, "VerSe": 0,
    }  # fmt: skip
    _, _, in_reference = simulated.simulate(198, 1, rng)
    assert 8 <= in_reference[:, :4].any(axis=1).sum() <= 15


def test_a_smaller_simulation_agrees(simulated: ModuleType) -> None:
    """On 300 boards of 198 cases coverage is near the one that is printed, and equals are hardly told apart."""
    rng = np.random.default_rng(1)
    found = simulated.measure(198, 300, 400, rng, simulated.truths(rng, 100_000))
    for score in SCORES:
        assert found[score] == pytest.approx(measured()[198][score], abs=0.015)
    assert max(found["told_apart"], found["first"]) <= 0.05


def test_few_cases_cover_less(simulated: ModuleType) -> None:
    """The simulation can tell: with 20 cases per-case means have the smaller share that is printed, within .03."""
    rng = np.random.default_rng(2)
    found = simulated.measure(20, 150, 400, rng, simulated.truths(rng, 100_000))
    for score in ("mean_over_vertebrae", "per_case"):
        assert found[score] == pytest.approx(measured_coverage(20, score), abs=0.03)
        assert found[score] < 0.93


@pytest.mark.parametrize("n_cases", [20, 41, 198])
def test_nobody_among_equals_is_first_for_sure(simulated: ModuleType, n_cases: int) -> None:
    """Of 100 boards of ten equals, somebody has P(rank 1) of 95 % on at most 5 %, within what chance allows."""
    rng = np.random.default_rng([4, n_cases])
    boards = (simulated.board(*simulated.simulate(n_cases, 10, rng)) for _ in range(100))
    n_sure = sum(standings(paired, draws=400).rows[0].p_first >= 0.95 for paired in boards)
    assert n_sure <= stats.binom.isf(1e-3, 100, 0.05)
