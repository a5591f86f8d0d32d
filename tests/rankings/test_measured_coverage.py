"""How often intervals cover: what is printed, and a smaller simulation beside the one that measured it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ctspine_bench.bootstrap import case_weights
from ctspine_bench.rankings import mean_then_rank
from ctspine_bench.rankings.coverage import AS_IT_SHOULD, _measured, measured_coverage
from ctspine_bench.rankings.intervals import score_intervals, surely_better

if TYPE_CHECKING:
    from types import ModuleType

DOCUMENT = Path(__file__).parents[2] / "docs" / "CORRECTNESS.md"
SCORES = ("mean_of_vertebrae", "mean_rank", "mean_over_vertebrae", "per_case")


@pytest.mark.parametrize("score", SCORES)
def test_what_is_printed(score: str) -> None:
    """The largest simulated number of cases that is not above; nothing under ten, and nothing from 150 on."""
    measured = _measured()
    for n_cases, expected in ((10, 10), (19, 10), (20, 20), (41, 41), (59, 41), (149, 100)):
        assert measured_coverage(n_cases, score) == measured[expected][score]
    assert measured_coverage(9, score) is None
    assert measured_coverage(AS_IT_SHOULD, score) is None
    assert measured_coverage(436, score) is None
    assert measured_coverage(41) == measured[41]["mean_of_vertebrae"]


@pytest.mark.parametrize("score", SCORES)
def test_from_150_cases_on_intervals_cover_as_they_should(score: str) -> None:
    """The measured shares are between 93 and 97 %, and do not get smaller the more cases there are, but for chance."""
    shares = {n: found[score] for n, found in _measured().items()}
    assert {n for n in shares if n >= AS_IT_SHOULD} == {150, 198, 400}
    assert all(0.93 <= share <= 0.97 for n, share in shares.items() if n >= AS_IT_SHOULD)
    in_order = [share for _, share in sorted(shares.items())]
    assert all(later > earlier - 0.01 for earlier, later in pairwise(in_order))


def test_equals_were_hardly_told_apart() -> None:
    """At no number of cases is anybody surely better on more than 5 % of the boards of equals (4,000: ± .7 %)."""
    assert max(found["told_apart"] for found in _measured().values()) < 0.057


def test_the_document_has_the_measured_table() -> None:
    """docs/CORRECTNESS.md prints what was measured, to a tenth of a percent."""
    if not DOCUMENT.exists():
        pytest.skip("docs/ is not part of this copy")
    rows = [
        f"| {n} | {' | '.join(f'{100 * found[name]:.1f} %' for name in (*SCORES, 'told_apart'))} |"
        for n, found in _measured().items()
    ]
    assert "\n".join(rows) in DOCUMENT.read_text(encoding="utf-8")


def test_draws_alone_are_too_sure(simulated: ModuleType) -> None:
    """Why errors are also from leaving out cases: without, most of 100 boards of ten equals have a winner."""
    rng = np.random.default_rng(3)
    by_draws = by_both = 0
    for _ in range(100):
        paired = simulated.board(*simulated.simulate(10, 10, rng))
        observed = mean_then_rank.scores(paired, "dsc", "all")
        drawn = mean_then_rank.resampled(paired, "dsc", "all", case_weights(10, 400))
        by_draws += bool(surely_better(observed, drawn, np.zeros((10_000, 10))).any())
        by_both += bool(simulated.sure_pairs(paired, draws=400).any())
    assert by_draws > 60
    assert by_both <= 5


def test_a_smaller_simulation_agrees(simulated: ModuleType) -> None:
    """Four submissions on 500 boards of 150 skewed cases: coverage of 93 to 97 %, near the one that is printed."""
    rng = np.random.default_rng(1)
    truth = simulated.truths(rng, 100_000)["mean_of_vertebrae"]
    weights, without_one = case_weights(150, 500), 1 - np.eye(150)
    covered = np.zeros(4)
    for _ in range(500):
        paired = simulated.board(*simulated.simulate(150, 4, rng))
        drawn, left_out = (mean_then_rank.resampled(paired, "dsc", "all", rows) for rows in (weights, without_one))
        low, high = score_intervals(mean_then_rank.scores(paired, "dsc", "all"), drawn, left_out, (0.0, 1.0))
        covered += (low <= truth) & (truth <= high)
    share = covered.mean() / 500
    assert 0.93 <= share <= 0.97
    assert share == pytest.approx(_measured()[150]["mean_of_vertebrae"], abs=0.015)


def test_few_cases_cover_less(simulated: ModuleType) -> None:
    """The simulation can tell: with 20 cases it finds the smaller share that is printed, within .03."""
    rng = np.random.default_rng(2)
    found = simulated.measure(20, 150, 400, rng, simulated.truths(rng, 100_000))
    for score in ("mean_of_vertebrae", "mean_over_vertebrae", "per_case"):
        assert found[score] == pytest.approx(measured_coverage(20, score), abs=0.03)
        assert found[score] < 0.93
