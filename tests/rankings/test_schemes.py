"""The table of schemes."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_scores import board_of, scores_of

from ctspine_bench.rankings import OFFICIAL, OFFICIAL_TEXT, SCHEMES
from ctspine_bench.rankings.paired import METRICS, REGIONS


def test_names() -> None:
    """Keys are the names; the official order is by the first of the schemes, and says what it is."""
    assert list(SCHEMES) == ["mean-then-rank", "rank-then-mean", "significance"]
    assert all(name == scheme.name for name, scheme in SCHEMES.items())
    assert OFFICIAL == ("mean-then-rank", "dsc", "all")
    assert OFFICIAL[0] in SCHEMES
    assert OFFICIAL[1] in METRICS
    assert OFFICIAL[2] in REGIONS
    for word in ("Mean of Vertebrae DSC", "private", "HD95", "never pooled"):
        assert word in OFFICIAL_TEXT


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", SCHEMES)
def test_direction_of_better(name: str, metric: str) -> None:
    """By every scheme and metric the submission that is best everywhere has the best score, in the direction told."""
    scheme = SCHEMES[name]
    found = scheme.scores(board_of(40, np.random.default_rng(1), (0.1, 0.0, -0.1)), metric, "all")
    assert int(np.argmax(found if scheme.larger_is_better(metric) else -found)) == 0
    assert scheme.larger_is_better(metric) == (name == "mean-then-rank" and metric != "hd95_mm")


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.left_out])
def test_what_is_left_out_is_of_the_score_that_is_shown(name: str) -> None:
    """Without each case it is the score of the other cases, and what the cases carry of it adds up to 1."""
    scheme = SCHEMES[name]
    rng = np.random.default_rng(2)
    dsc = rng.uniform(0.5, 0.9, (24, 5, 3))
    dsc[rng.random((24, 5)) < 0.3] = np.nan
    paired = scores_of(dsc, spurious=rng.random(dsc.shape) < 0.1)
    for region in ("all", "lumbar"):
        weights = scheme.weights(paired, region)
        assert weights.shape == (24,)
        assert weights.sum() == pytest.approx(1)
        assert (weights >= 0).all()
        for metric in METRICS:
            expected = [scheme.scores(paired.of_cases(np.arange(24) != i), metric, region) for i in range(24)]
            assert scheme.left_out(paired, metric, region) == pytest.approx(np.array(expected), abs=1e-10)


def test_schemes_with_intervals() -> None:
    """Who has the one has the other; the score that is made of tests has neither."""
    assert {name: scheme.left_out is not None for name, scheme in SCHEMES.items()} == {
        "mean-then-rank": True,
        "rank-then-mean": True,
        "significance": False,
    }
    assert all((scheme.left_out is None) == (scheme.weights is None) for scheme in SCHEMES.values())


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", SCHEMES)
def test_a_spurious_vertebra_costs_by_every_scheme(name: str, metric: str) -> None:
    """Of two that are alike the one who calls a T10 in every case without one has the worse score."""
    dsc = np.tile(np.random.default_rng(3).uniform(0.5, 0.9, (20, 3, 1)), 2)
    dsc[3:, 0] = np.nan
    spurious = np.zeros(dsc.shape, bool)
    spurious[:, 0, 1] = True
    scheme = SCHEMES[name]
    clean, stray = scheme.scores(scores_of(dsc, first_label=17, spurious=spurious), metric, "all")
    assert (clean > stray) == scheme.larger_is_better(metric)
    assert clean != stray
