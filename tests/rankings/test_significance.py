"""Ranks by significant wins: by hand, and against SciPy and statsmodels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from simulated_scores import board_of, scores_of
from statsmodels.stats.multitest import multipletests

from ctspine_bench.rankings.paired import PairedScores, case_means
from ctspine_bench.rankings.significance import n_beaten, scores, tasks


def cases_with(thoracic: int, lumbar: int) -> PairedScores:
    """Twenty cases, of which so many have T12 and so many L1; two submissions."""
    dsc = np.full((20, 2, 2), 0.5)
    dsc[thoracic:, 0] = np.nan
    dsc[: 20 - lumbar, 1] = np.nan
    return scores_of(dsc, first_label=19)


def test_tasks() -> None:
    """Official: DSC and HD95 in each region that ten cases have; else the metric or the region asked for."""
    paired = cases_with(10, 12)
    official = (("dsc", "thoracic"), ("dsc", "lumbar"), ("hd95_mm", "thoracic"), ("hd95_mm", "lumbar"))
    assert tasks(paired, "dsc", "all") == official
    assert tasks(paired, "hd95_mm", "all") == official[2:]
    assert tasks(paired, "nsd_2mm", "lumbar") == (("nsd_2mm", "lumbar"),)
    assert tasks(paired, "dsc", "lumbar") == (("dsc", "lumbar"), ("hd95_mm", "lumbar"))
    assert tasks(cases_with(9, 12), "dsc", "all") == (("dsc", "lumbar"), ("hd95_mm", "lumbar"))
    assert tasks(paired, "dsc", "cervical") == ()
    assert np.isnan(scores(paired, "dsc", "cervical")).all()


def necks(*strays: int) -> PairedScores:
    """Thirty cases with T1, of which the first ten have C7; equal but for so many spurious C7 in the others."""
    dsc = np.full((30, 2, len(strays)), 0.5) + np.linspace(0, 0.05, 30)[:, None, None]
    dsc[10:, 0] = np.nan
    spurious = np.zeros(dsc.shape, bool)
    for column, n in enumerate(strays):
        spurious[10 : 10 + n, 0, column] = True
    return scores_of(dsc, first_label=7, spurious=spurious)


def test_a_spurious_vertebra_counts_against_who_has_it() -> None:
    """The one with eight spurious C7, all in cases without a cervical reference, is beaten by both others there.

    By hand: ten of 18 cases are even and have no side; the others have rank 14.5 each, all of them on one side, so
    that z = 8 · 14.5 / √(8 · 14.5²) = √8. That is p = .0023, and times six still under 5 %.
    """
    paired = necks(0, 8, 0)
    for metric in ("dsc", "hd95_mm", "nsd_2mm"):
        assert n_beaten(paired, metric, "cervical").tolist() == [1, 0, 1]
        assert n_beaten(paired, metric, "thoracic").tolist() == [0, 0, 0]
    assert scores(paired, "dsc", "cervical").tolist() == [1.5, 3.0, 1.5]
    # Two tasks of four are cervical; in the others all share rank 2.
    assert scores(paired, "dsc", "all").tolist() == [1.75, 2.5, 1.75]
    # Six: z = √6, p = .0072, times six .043; five: z = √5, p = .0127, times six .076.
    assert n_beaten(necks(0, 6, 0), "dsc", "cervical").tolist() == [1, 0, 1]
    assert n_beaten(necks(0, 5, 0), "dsc", "cervical").tolist() == [0, 0, 0]
    assert stats.norm.sf(np.sqrt([5, 6])) * 6 == pytest.approx([0.076, 0.043], abs=5e-4)


def test_wins_by_hand() -> None:
    """In all of 12 cases s2 is best and s0 and s1 take turns: s2 beats both, they beat nobody and share rank 2.5."""
    dsc = np.full((12, 1, 3), 0.5)
    dsc[:, 0, 2] = 0.9
    dsc[::2, 0, 0], dsc[1::2, 0, 1] = 0.6, 0.6
    dsc += np.linspace(0, 0.05, 12)[:, None, None]
    paired = scores_of(dsc)
    assert n_beaten(paired, "dsc", "thoracic").tolist() == [0, 0, 2]
    assert n_beaten(paired, "hd95_mm", "thoracic").tolist() == [0, 0, 2]
    assert scores(paired, "dsc", "all").tolist() == [2.5, 2.5, 1.0]


def test_the_score_is_the_mean_over_tasks() -> None:
    """Best in one region and worst in the other, a submission has the middle rank."""
    dsc = np.tile([[0.9, 0.8, 0.7], [0.5, 0.6, 0.7]], (15, 1, 1)) + np.linspace(0, 0.05, 15)[:, None, None]
    paired = scores_of(dsc, first_label=19)  # T12 and L1
    assert scores(paired, "dsc", "thoracic").tolist() == [1.0, 2.0, 3.0]
    assert scores(paired, "dsc", "lumbar").tolist() == [3.0, 2.0, 1.0]
    assert scores(paired, "dsc", "all").tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(("metric", "better"), [("dsc", "greater"), ("hd95_mm", "less")])
def test_wins_are_those_of_scipy_and_statsmodels(metric: str, better: str) -> None:
    """All ordered pairs, one-sided signed-rank tests, corrected together by Holm, at 5 %."""
    paired = board_of(40, np.random.default_rng(3), (0.0, 0.01, 0.015, 0.03, 0.06))
    means = case_means(paired, metric, "lumbar")
    means = means[~np.isnan(means[:, 0])]
    pairs = list(permutations(range(5), 2))
    p = [
        stats.wilcoxon(
            np.round(means[:, i] - means[:, j], 12), zero_method="pratt", method="asymptotic", alternative=better
        ).pvalue
        for i, j in pairs
    ]
    beats = multipletests(p, alpha=0.05, method="holm")[0]
    expected = [sum(won for (i, _), won in zip(pairs, beats, strict=True) if i == one) for one in range(5)]
    assert n_beaten(paired, metric, "lumbar").tolist() == expected
    assert 0 < sum(expected) < 10


@pytest.mark.parametrize(("metric", "better"), [("dsc", "greater"), ("hd95_mm", "less")])
def test_likewise_with_spurious_vertebrae(metric: str, better: str) -> None:
    """Who has none in a case where others do has the best value there."""
    rng = np.random.default_rng(6)
    dsc = rng.beta(8, [2.0, 2.4, 3.0, 4.0], (40, 3, 4))  # T11, T12 and L1
    dsc[rng.random((40, 3)) < 0.6] = np.nan
    paired = scores_of(dsc, spurious=rng.random(dsc.shape) < [0.02, 0.05, 0.1, 0.5])
    means = case_means(paired, metric, "lumbar")
    means = means[~np.isnan(means).all(axis=1)]
    assert np.isnan(means).any(axis=0).all()
    means[np.isnan(means)] = 1.0 if metric == "dsc" else 0.0
    pairs = list(permutations(range(4), 2))
    p = [
        stats.wilcoxon(
            np.round(means[:, i] - means[:, j], 12), zero_method="pratt", method="asymptotic", alternative=better
        ).pvalue
        for i, j in pairs
    ]
    beats = multipletests(p, alpha=0.05, method="holm")[0]
    expected = [sum(won for (i, _), won in zip(pairs, beats, strict=True) if i == one) for one in range(4)]
    assert n_beaten(paired, metric, "lumbar").tolist() == expected
    assert expected[0] > expected[3]


def test_equals_seldom_win() -> None:
    """Of 200 boards of five equals, any win at all is on at most 5 %, within what chance makes of that (16 at 97 %)."""
    rng = np.random.default_rng(4)
    won = sum(n_beaten(board_of(30, rng, (0.0,) * 5), "dsc", "thoracic").any() for _ in range(200))
    assert won <= 16


def test_alone() -> None:
    """A single submission beats nobody and has rank 1."""
    paired = scores_of(np.full((12, 2, 1), 0.5))
    assert n_beaten(paired, "dsc", "thoracic").tolist() == [0]
    assert scores(paired, "dsc", "all").tolist() == [1.0]
