"""Ranks within each case, averaged: by hand and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_scores import board_of, scores_of

from ctspine_bench.rankings.paired import case_means
from ctspine_bench.rankings.rank_then_mean import case_ranks, resampled, scores

NAN = np.nan
# Three cases with T12 and L1 and three submissions; the second case has no L1.
DSC = np.array(
    [
        [[0.9, 0.8, 0.5], [0.7, 0.8, 0.5]],
        [[0.6, 0.7, 0.0], [NAN, NAN, NAN]],
        [[0.9, 0.4, 0.5], [0.9, 0.0, 0.5]],
    ]
)


def test_by_hand() -> None:
    """Means .8 .8 .5, then .6 .7 and a missed one, then .9 .2 .5: the first two tie in the first case."""
    paired = scores_of(DSC, first_label=19)
    assert case_ranks(paired, "dsc", "all").tolist() == [[1.5, 1.5, 3], [2, 1, 3], [1, 3, 2]]
    assert scores(paired, "dsc", "all") == pytest.approx([1.5, 5.5 / 3, 8 / 3])
    weights = np.array([[0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])
    expected = np.array([[1.75, 1.25, 3.0], [1.3, 2.3, 2.4]])
    assert resampled(paired, "dsc", "all", weights) == pytest.approx(expected)


def test_a_case_without_the_region_has_no_ranks() -> None:
    """The second case has no lumbar vertebra: it counts for nobody, whatever its weight."""
    paired = scores_of(DSC, first_label=19)
    assert np.isnan(case_ranks(paired, "dsc", "lumbar")[1]).all()
    assert scores(paired, "dsc", "lumbar").tolist() == [1.5, 2.0, 2.5]
    assert resampled(paired, "dsc", "lumbar", np.array([[0.1, 0.8, 0.1]])) == pytest.approx(np.array([[1.5, 2, 2.5]]))
    assert np.isnan(scores(paired, "dsc", "cervical")).all()


def test_missing_is_worst() -> None:
    """Who misses the case's vertebrae is last in it, in DSC and in HD95, and ties with who misses them too."""
    dsc = np.array([[[0.1, 0.0, 0.0]], [[0.0, 0.2, 0.3]]])
    hd95_mm = np.array([[[90.0, 100.0, 100.0]], [[100.0, 99.0, 2.0]]])
    paired = scores_of(dsc, hd95_mm=hd95_mm)
    for metric in ("dsc", "hd95_mm"):
        assert case_ranks(paired, metric, "all").tolist() == [[1, 2.5, 2.5], [3, 2, 1]]


@pytest.mark.parametrize("metric", ["dsc", "hd95_mm", "nsd_1mm"])
def test_ranks_are_those_of_pandas(metric: str) -> None:
    """Average ranks along each case, the better the lower."""
    paired = board_of(30, np.random.default_rng(1), (0.0, 0.01, 0.02, 0.3))
    means = pd.DataFrame(np.round(case_means(paired, metric), 12))
    expected = means.rank(axis=1, ascending=metric == "hd95_mm")
    assert case_ranks(paired, metric, "all").tolist() == expected.to_numpy().tolist()
    assert scores(paired, metric, "all") == pytest.approx(expected.mean().to_numpy())


def test_equal_weights_give_the_score() -> None:
    """The observed score is the one under equal weights."""
    paired = board_of(20, np.random.default_rng(2), (0.0, 0.01, 0.02))
    found = resampled(paired, "dsc", "all", np.full((1, 20), 0.05))
    assert found[0] == pytest.approx(scores(paired, "dsc", "all"), abs=1e-12)


def test_how_far_apart_does_not_matter() -> None:
    """The mean rank is the same if the better one is better by more."""
    paired = scores_of(DSC, first_label=19)
    further = scores_of(DSC**3, first_label=19, hd95_mm=DSC)
    assert case_ranks(further, "dsc", "all")[1:].tolist() == case_ranks(paired, "dsc", "all")[1:].tolist()
