"""The smallest number of cases whose removal changes the leader: against trying all sets of cases."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_scores import scores_of

from ctspine_bench.rankings.mean_then_rank import scores
from ctspine_bench.rankings.paired import label_counts
from ctspine_bench.rankings.removal import Removal, of_case_mean, of_mean_of_vertebrae

if TYPE_CHECKING:
    from ctspine_bench.rankings.paired import PairedScores


def overtaken(values: np.ndarray, leader: int) -> list[int]:
    """Who is ahead of the leader by more than rounding; the larger the better."""
    return np.flatnonzero(values > values[leader] + 1e-12).tolist()


def smallest_for_case_means(values: np.ndarray, leader: int) -> int | None:
    """Over all sets of cases, some of them left: the size of the smallest without which another one leads."""
    n_cases = len(values)
    for k in range(n_cases):
        for gone in combinations(range(n_cases), k):
            if overtaken(np.delete(values, gone, axis=0).mean(axis=0), leader):
                return k
    return None


def smallest_for_mean_of_vertebrae(paired: PairedScores, metric: str, leader: int) -> int | None:
    """Likewise for Mean of Vertebrae."""
    sign = -1 if metric == "hd95_mm" else 1
    for k in range(paired.n_cases):
        for gone in combinations(range(paired.n_cases), k):
            left = scores(without(paired, gone), metric, "all")
            if overtaken(sign * left, leader):
                return k
    return None


def without(paired: PairedScores, gone: tuple[int, ...]) -> PairedScores:
    """The scores on the other cases."""
    return paired.of_cases(~np.isin(np.arange(paired.n_cases), gone))


def some_values(seed: int) -> np.ndarray:
    """Values of eight cases, tied now and then."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal([0.3, 0.2, 0.15], 0.4, (8, 3)), 1)


def some_scores(seed: int, *, stray: bool = False) -> PairedScores:
    """Seven cases with some of five labels, three submissions of which the first is a little better.

    Args:
        seed: Of the scores.
        stray: Whether a label that the reference of a case lacks is predicted now and then.
    """
    rng = np.random.default_rng(seed)
    dsc = np.clip(rng.normal([0.62, 0.58, 0.55], 0.25, (7, 5, 3)), 0, 1)
    lacks = rng.random((7, 5)) < 0.4
    lacks[:, 2] &= lacks[:, 2] & (np.arange(7) > 0)
    dsc[lacks] = np.nan
    return scores_of(dsc, spurious=rng.random(dsc.shape) < 0.15) if stray else scores_of(dsc)


def number(paired: PairedScores, case_ids: tuple[str, ...]) -> tuple[int, ...]:
    """The places of some cases."""
    return tuple(paired.vertebrae.case_ids.index(case_id) for case_id in case_ids)


@pytest.mark.parametrize("seed", range(25))
def test_exact_for_means_over_cases(seed: int) -> None:
    """No smaller set of cases does it, and the named ones do, for the one who is said to be ahead then."""
    values = some_values(seed)
    paired = scores_of(np.full((8, 1, 3), 0.5))
    leader = int(np.argmax(values.mean(axis=0)))
    found = of_case_mean(values, paired, leader)
    assert found.exact
    if found.n == 0:
        tied = int(found.new_leader[1])
        assert values[:, tied].mean() == pytest.approx(values[:, leader].mean(), abs=1e-12)
        return
    assert found.n == smallest_for_case_means(values, leader)
    if found.n:
        gone = number(paired, found.case_ids)
        assert len(gone) == found.n
        left = np.delete(values, gone, axis=0).mean(axis=0)
        assert int(found.new_leader[1]) in overtaken(left, leader)


def test_a_lead_by_hand() -> None:
    """Leads of .3, .1 and −.2: without the first case the others lead by .1; cases that do not count stay out of it."""
    values = np.array([[0.9, 0.6], [np.nan, np.nan], [0.7, 0.6], [0.5, 0.7]])
    paired = scores_of(np.full((4, 1, 2), 0.5))
    assert of_case_mean(values, paired, 0) == Removal(1, exact=True, case_ids=("case0000",), new_leader="s1")


def test_nobody_can_be_put_ahead() -> None:
    """Whoever is best in every case leads whatever is left; so does the only submission."""
    values = np.tile([0.9, 0.8], (5, 1))
    paired = scores_of(np.full((5, 1, 2), 0.5))
    assert of_case_mean(values, paired, 0) == Removal(None, exact=True)
    best = scores_of(np.tile([0.9, 0.8], (5, 2, 1)))
    assert of_mean_of_vertebrae(best, "dsc", "all", 0) == Removal(None, exact=False)


def test_a_tie_needs_no_removal() -> None:
    """Who has the same score already is on a par with no case removed."""
    paired = scores_of(np.tile([0.9, 0.8, 0.9], (5, 2, 1)))
    assert of_mean_of_vertebrae(paired, "dsc", "all", 0) == Removal(0, exact=True, new_leader="s2")
    assert of_case_mean(np.tile([0.9, 0.8, 0.9], (5, 1)), paired, 0) == Removal(0, exact=True, new_leader="s2")


@pytest.mark.parametrize("stray", [False, True], ids=["none spurious", "some spurious"])
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_never_below_the_smallest_number(metric: str, seed: int, *, stray: bool) -> None:
    """Of Mean of Vertebrae: so many cases suffice, never fewer than all sets say; if exact, as many."""
    paired = some_scores(seed, stray=stray)
    assert stray == (label_counts(paired).max(axis=1) > label_counts(paired).min(axis=1)).any()
    sign = -1 if metric == "hd95_mm" else 1
    leader = int(np.argmax(sign * scores(paired, metric, "all")))
    found, smallest = (
        of_mean_of_vertebrae(paired, metric, "all", leader),
        smallest_for_mean_of_vertebrae(paired, metric, leader),
    )
    if found.n is None:
        assert not found.exact
        assert smallest is None or smallest > 1
        return
    assert smallest is not None
    assert found.exact == (found.n <= 2)
    assert found.n >= smallest
    assert not found.exact or found.n == smallest
    left = scores(without(paired, number(paired, found.case_ids)), metric, "all")
    assert len(found.case_ids) == found.n
    assert int(found.new_leader[1]) in overtaken(sign * left, leader)


def test_one_case_and_two_are_exact() -> None:
    """Three of ten cases make the lead: one or two of them do not undo it, and three are a bound that says so."""
    for n_decisive in (1, 2, 3):
        dsc = np.tile([0.6, 0.601], (10, 2, 1))
        dsc[:n_decisive, :, 0] = 0.9
        found = of_mean_of_vertebrae(scores_of(dsc), "dsc", "all", 0)
        assert (found.n, found.exact) == (n_decisive, n_decisive < 3)
        assert sorted(found.case_ids) == [f"case{i:04}" for i in range(n_decisive)]


def test_a_rare_label_decides() -> None:
    """The lead is in the one case with a lumbar vertebra; in that region, nothing is left without it."""
    dsc = np.full((12, 4, 2), np.nan)
    dsc[:, 1] = [0.80, 0.81]
    dsc[4, 3] = [0.9, 0.1]
    paired = scores_of(dsc)
    assert of_mean_of_vertebrae(paired, "dsc", "all", 0) == Removal(
        1, exact=True, case_ids=("case0004",), new_leader="s1"
    )
    assert of_mean_of_vertebrae(paired, "dsc", "lumbar", 0) == Removal(None, exact=False)


def test_a_spurious_vertebra_decides() -> None:
    """The leader is ahead by what the other one predicts where there is nothing: without that case it is behind."""
    dsc = np.full((12, 4, 2), np.nan)
    dsc[:5, :2], dsc[6:, :2] = [0.80, 0.81], [0.80, 0.81]
    spurious = np.zeros(dsc.shape, bool)
    spurious[5, 3, 1] = True
    paired = scores_of(dsc, spurious=spurious)
    # T11 and T12 .80 and .81, and a third label of 0 for the second one; the reference of case 5 has no vertebra.
    assert scores(paired, "dsc", "all") == pytest.approx([0.80, 0.54])
    found = of_mean_of_vertebrae(paired, "dsc", "all", 0)
    assert found == Removal(1, exact=True, case_ids=("case0005",), new_leader="s1")
    assert of_mean_of_vertebrae(paired, "hd95_mm", "all", 0) == found


def test_n_of_a_label_differs() -> None:
    """L1 is .6 in six cases, and the second one predicts it in two more, .45: with both of them gone it is ahead."""
    dsc = np.full((10, 3, 2), np.nan)
    dsc[:, 0], dsc[0, 0], dsc[:6, 2] = 0.9, [0.9, 0.91], 0.6
    spurious = np.zeros(dsc.shape, bool)
    spurious[8:, 2, 1] = True
    paired = scores_of(dsc, spurious=spurious)
    assert label_counts(paired)[[17, 19]].tolist() == [[10, 10], [6, 8]]
    assert scores(paired, "dsc", "all") == pytest.approx([0.75, (0.901 + 0.45) / 2])
    expected = Removal(2, exact=True, case_ids=("case0008", "case0009"), new_leader="s1")
    assert of_mean_of_vertebrae(paired, "dsc", "all", 0) == expected
    assert smallest_for_mean_of_vertebrae(paired, "dsc", 0) == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_remains_is_counted_as_the_score_counts_it(seed: int) -> None:
    """Whatever is spurious: with the named cases taken out the new leader is ahead by the official score."""
    rng = np.random.default_rng(seed)
    dsc = np.round(rng.uniform(0, 1, (8, 4, 4)), 1)
    dsc[rng.random((8, 4)) < 0.5] = np.nan
    dsc[0, 0] = 0.5
    paired = scores_of(dsc, spurious=rng.random(dsc.shape) < 0.2)
    of_all = scores(paired, "dsc", "all")
    leader = int(np.argmax(of_all))
    found = of_mean_of_vertebrae(paired, "dsc", "all", leader)
    if found.n:
        left = scores(without(paired, number(paired, found.case_ids)), "dsc", "all")
        assert (len(found.case_ids), len(set(found.case_ids))) == (found.n, found.n)
        assert int(found.new_leader[1]) in overtaken(left, leader)


def test_greed_can_miss_the_smallest_number() -> None:
    """Why it is a bound: there are scores where it finds three cases, and trying all sets finds two."""
    bounds = []
    for seed in range(40):
        paired = some_scores(seed)
        leader = int(np.argmax(scores(paired, "dsc", "all")))
        found = of_mean_of_vertebrae(paired, "dsc", "all", leader)
        if found.n is not None and not found.exact:
            bounds.append((found.n, smallest_for_mean_of_vertebrae(paired, "dsc", leader)))
    assert (3, 2) in bounds
