"""The table of schemes."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_scores import board_of

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


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.resampled])
def test_equal_weights_give_the_score(name: str) -> None:
    """What is resampled is the score that is shown."""
    paired = board_of(24, np.random.default_rng(2), (0.0, 0.01, 0.02))
    scheme = SCHEMES[name]
    for metric in METRICS:
        drawn = scheme.resampled(paired, metric, "lumbar", np.full((2, 24), 1 / 24))
        assert drawn == pytest.approx(np.tile(scheme.scores(paired, metric, "lumbar"), (2, 1)), abs=1e-10)
