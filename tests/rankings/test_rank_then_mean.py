"""Ranks within each case, averaged: by hand, by loops and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated_scores import board_of, scores_of

from ctspine_bench.rankings.paired import METRICS, REGIONS, PairedScores, case_means
from ctspine_bench.rankings.rank_then_mean import case_ranks, left_out, scores, weights

NAN = np.nan
# Three cases with T12 and L1 and three submissions; the reference of the second case has no L1.
DSC = np.array(
    [
        [[0.9, 0.8, 0.5], [0.7, 0.8, 0.5]],
        [[0.6, 0.7, 0.0], [NAN, NAN, NAN]],
        [[0.9, 0.4, 0.5], [0.9, 0.0, 0.5]],
    ]
)
# The second submission predicts an L1 in the second case.
SPURIOUS = np.zeros((3, 2, 3), bool)
SPURIOUS[1, 1, 1] = True


def drawn(seed: int) -> PairedScores:
    """Twelve cases with some of five labels, T12 to L4, spurious ones here and there, and four submissions."""
    rng = np.random.default_rng(seed)
    dsc = np.round(rng.beta(4, 1, (12, 5, 4)), 1)
    dsc[rng.random((12, 5)) < 0.5] = NAN
    dsc[3] = NAN
    return scores_of(dsc, first_label=19, spurious=rng.random(dsc.shape) < 0.1)


def test_by_hand() -> None:
    """Means .8 .8 .5, then .6 .7 and a missed one, then .9 .2 .5: the first two tie in the first case."""
    paired = scores_of(DSC, first_label=19)
    assert case_ranks(paired, "dsc", "all").tolist() == [[1.5, 1.5, 3], [2, 1, 3], [1, 3, 2]]
    assert scores(paired, "dsc", "all") == pytest.approx([1.5, 5.5 / 3, 8 / 3])
    expected = np.array([[1.5, 2.0, 2.5], [1.25, 2.25, 2.5], [1.75, 1.25, 3.0]])
    assert left_out(paired, "dsc", "all") == pytest.approx(expected)
    assert weights(paired, "all") == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_a_case_without_the_region_has_no_ranks() -> None:
    """The second case has no lumbar vertebra: it counts for nobody, and without it nothing changes."""
    paired = scores_of(DSC, first_label=19)
    assert np.isnan(case_ranks(paired, "dsc", "lumbar")[1]).all()
    assert scores(paired, "dsc", "lumbar").tolist() == [1.5, 2.0, 2.5]
    assert left_out(paired, "dsc", "lumbar").tolist() == [[1, 3, 2], [1.5, 2, 2.5], [2, 1, 3]]
    assert weights(paired, "lumbar").tolist() == [0.5, 0.0, 0.5]
    assert np.isnan(scores(paired, "dsc", "cervical")).all()
    assert np.isnan(left_out(paired, "dsc", "cervical")).all()
    assert weights(paired, "cervical").tolist() == [0.0, 0.0, 0.0]


def test_a_spurious_vertebra_costs_a_rank() -> None:
    """With a spurious L1 the second one's .7 in the second case becomes .35, behind the .6 of the first."""
    paired = scores_of(DSC, first_label=19, spurious=SPURIOUS)
    assert case_ranks(paired, "dsc", "all").tolist() == [[1.5, 1.5, 3], [1, 2, 3], [1, 3, 2]]
    # HD95 is 100 · (1 − DSC): 40, then (30 + 100) / 2, then 100.
    assert case_ranks(paired, "hd95_mm", "all")[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("metric", ["dsc", "hd95_mm", "nsd_3mm"])
def test_also_in_a_region_that_the_reference_lacks_there(metric: str) -> None:
    """The others rightly have no lumbar vertebra in the second case and share the ranks 1 and 2."""
    paired = scores_of(DSC, first_label=19, spurious=SPURIOUS)
    assert case_ranks(paired, metric, "lumbar").tolist() == [[2, 1, 3], [1.5, 3, 1.5], [1, 3, 2]]
    assert scores(paired, metric, "lumbar") == pytest.approx([1.5, 7 / 3, 6.5 / 3])
    expected = np.array([[1.25, 3.0, 1.75], [1.5, 2.0, 2.5], [1.75, 2.0, 2.25]])
    assert left_out(paired, metric, "lumbar") == pytest.approx(expected)
    assert weights(paired, "lumbar") == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert case_ranks(paired.of("s0", "s2"), metric, "lumbar")[[0, 2]].tolist() == [[1, 2], [1, 2]]
    assert np.isnan(case_ranks(paired.of("s0", "s2"), metric, "lumbar")[1]).all()


def test_a_twin_with_a_spurious_vertebra_is_behind() -> None:
    """Of two equal submissions the one with one more vertebra loses that case alone, wherever it is."""
    dsc = np.tile(np.random.default_rng(5).uniform(0.5, 0.9, (6, 3, 1)), 2)
    dsc[:, 2] = NAN
    for place in range(6):
        extra = np.zeros(dsc.shape, bool)
        extra[place, 2, 1] = True
        ranks = case_ranks(scores_of(dsc, spurious=extra), "dsc", "all")
        assert ranks.tolist() == [[1.0, 2.0] if i == place else [1.5, 1.5] for i in range(6)]


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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_with_spurious_vertebrae_too(metric: str, seed: int) -> None:
    """Who has nothing in a case gets the best value in the data frame, wherever somebody has something."""
    paired = drawn(seed)
    for region in ("all", "thoracic", "lumbar"):
        means = pd.DataFrame(np.round(case_means(paired, metric, region), 12)).dropna(how="all")
        assert region != "thoracic" or means.isna().any(axis=None)
        expected = means.fillna(METRICS[metric].best).rank(axis=1, ascending=metric == "hd95_mm")
        found = case_ranks(paired, metric, region)
        assert found[means.index].tolist() == expected.to_numpy().tolist()
        assert np.isnan(np.delete(found, means.index, axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
@pytest.mark.parametrize("region", REGIONS)
def test_left_out_is_the_score_without_the_case(region: str, metric: str, seed: int) -> None:
    """Ranked again without each case in a loop; cases that count carry the same each, in all 1."""
    paired = drawn(seed)
    found = left_out(paired, metric, region)
    assert found.shape == (12, 4)
    for i in range(12):
        expected = scores(paired.of_cases(np.arange(12) != i), metric, region)
        assert found[i] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    there = ~np.isnan(case_ranks(paired, metric, region)[:, 0])
    assert weights(paired, region) == pytest.approx(there / max(there.sum(), 1))


def test_how_far_apart_does_not_matter() -> None:
    """The mean rank is the same if the better one is better by more."""
    paired = scores_of(DSC, first_label=19)
    further = scores_of(DSC**3, first_label=19, hd95_mm=DSC)
    assert case_ranks(further, "dsc", "all")[1:].tolist() == case_ranks(paired, "dsc", "all")[1:].tolist()
