"""Rank intervals: against SciPy, by hand, and on simulated submissions whose order is known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulated_scores import scores_of

from ctspine_bench.anatomy import vertebra_name
from ctspine_bench.jackknife import Uncertainty, ratio_left_out, uncertainty
from ctspine_bench.rankings import RankInterval, rank_intervals
from ctspine_bench.rankings.intervals import surely_better
from ctspine_bench.rankings.standings import standings
from ctspine_bench.tables import COLUMNS

LABELS = range(18, 23)


def table_of(dsc: np.ndarray, hd95_mm: float = 3.0) -> pd.DataFrame:
    """A case table from the DSC `(cases, labels)` of T11 and so on; a negative one means missed."""
    rows = [
        {
            "case_id": f"case{number:03}",
            "row": "vertebra",
            "label": label,
            "vertebra": vertebra_name(label),
            "status": "missed" if value < 0 else "matched",
            "dsc": max(0.0, value),
            "hd95_mm": None if value < 0 else hd95_mm,
            **dict.fromkeys(("nsd_1mm", "nsd_2mm", "nsd_3mm"), max(0.0, value)),
            **dict.fromkeys(("loss_identification", "loss_missed", "loss_boundary"), (1 - max(0.0, value)) / 3),
            "loss_spurious": 0.0,
        }
        for number, values in enumerate(dsc)
        for label, value in zip(LABELS, values, strict=False)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def of_plain_means(values: np.ndarray) -> Uncertainty:
    """How far plain means over the cases of `(n, S)` could be off."""
    n = len(values)
    return uncertainty(values.mean(axis=0), ratio_left_out(values, np.ones_like(values)), np.full(n, 1 / n))


def difficulty(n_cases: int, rng: np.random.Generator) -> np.ndarray:
    """What the cases make of everybody alike, `(cases, labels)`."""
    return 0.85 + rng.normal(0, 0.05, (n_cases, 1)) + rng.normal(0, 0.02, (n_cases, len(LABELS)))


def test_a_known_order_comes_out() -> None:
    """Submissions that differ by far more than noise have their rank and no other."""
    rng = np.random.default_rng(1)
    cases = difficulty(60, rng)
    tables = {f"s{k}": table_of(cases - 0.03 * k + rng.normal(0, 0.01, cases.shape)) for k in range(4)}
    shuffled = {slug: tables[slug] for slug in ("s2", "s0", "s3", "s1")}
    assert rank_intervals(shuffled) == {f"s{k}": RankInterval(k + 1, k + 1, k + 1, 4) for k in (2, 0, 3, 1)}


def test_a_tie_shares_the_rank_and_the_interval() -> None:
    """Equal predictions share rank and interval; the ones around them are sure."""
    rng = np.random.default_rng(2)
    cases = difficulty(40, rng)
    tie = table_of(cases)
    best = table_of(cases + 0.04 + rng.normal(0, 0.01, cases.shape))
    worst = table_of(cases - 0.04 + rng.normal(0, 0.01, cases.shape))
    assert rank_intervals({"worst": worst, "twin": tie, "best": best, "other twin": tie.copy()}) == {
        "worst": RankInterval(4, 4, 4, 4),
        "twin": RankInterval(2, 2, 3, 4),
        "best": RankInterval(1, 1, 1, 4),
        "other twin": RankInterval(2, 2, 3, 4),
    }


def test_a_tie_is_broken_by_hd95_but_not_surely() -> None:
    """With equal DSC the nearer surface ranks first, and the interval still says that DSC cannot tell."""
    cases = difficulty(20, np.random.default_rng(3))
    assert rank_intervals({"far": table_of(cases, 4.0), "near": table_of(cases, 3.0)}) == {
        "far": RankInterval(2, 1, 2, 2),
        "near": RankInterval(1, 1, 2, 2),
    }


def test_pure_noise_says_nothing() -> None:
    """Submissions that differ by chance alone could each have any rank."""
    rng = np.random.default_rng(4)
    cases = difficulty(50, rng)
    tables = {f"s{k}": table_of(cases + rng.normal(0, 0.02, cases.shape)) for k in range(6)}
    found = rank_intervals(tables)
    assert sorted(each.rank for each in found.values()) == [1, 2, 3, 4, 5, 6]
    assert {(each.low, each.high) for each in found.values()} == {(1, 6)}


def test_noise_is_rarely_taken_for_a_difference() -> None:
    """Of 200 boards of pure noise with 4 submissions and 40 cases, about 5 % have any sure pair (at most 12 %)."""
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(200):
        values = rng.normal(0.9, 0.03, (40, 4)) + rng.normal(0, 0.1, (40, 1))
        uncertain = of_plain_means(values)
        false += surely_better(values.mean(axis=0), uncertain, uncertain.noise(1000)).any()
    assert 2 <= false <= 24


def test_pairing_finds_what_unpaired_scores_hide() -> None:
    """A small constant lead is sure, however different the cases are; without pairing it would drown."""
    rng = np.random.default_rng(6)
    cases = np.clip(0.6 + rng.normal(0, 0.15, (30, 5)), 0, 0.9)
    found = rank_intervals(
        {"behind": table_of(cases), "ahead": table_of(cases + 0.005 + rng.normal(0, 0.001, (30, 5)))}
    )
    assert found == {"behind": RankInterval(2, 2, 2, 2), "ahead": RankInterval(1, 1, 1, 2)}
    difference = 0.005 / np.sqrt(2 * cases.mean(axis=1).var() / 30)
    assert difference < 1


def test_a_constant_difference_is_sure() -> None:
    """A lead that is the same in every case has no error at all."""
    cases = np.full((12, 5), 0.5)
    assert rank_intervals({"a": table_of(cases + 0.25), "b": table_of(cases)}) == {
        "a": RankInterval(1, 1, 1, 2),
        "b": RankInterval(2, 2, 2, 2),
    }


def test_under_ten_cases_nothing_is_sure() -> None:
    """With nine cases the interval is as wide as the board, with ten the same lead is sure."""
    cases = difficulty(10, np.random.default_rng(7))
    for n_cases, expected in ((9, (1, 2)), (10, (2, 2))):
        found = rank_intervals({"b": table_of(cases[:n_cases] - 0.2), "a": table_of(cases[:n_cases])})
        assert (found["b"].rank, (found["b"].low, found["b"].high)) == (2, expected)


def test_alone_or_nobody() -> None:
    """A single submission has rank 1 of 1; nobody has none."""
    table = table_of(difficulty(12, np.random.default_rng(8)))
    assert rank_intervals({"one": table}) == {"one": RankInterval(1, 1, 1, 1)}
    assert rank_intervals({}) == {}


def test_draws_are_fixed() -> None:
    """The same tables give the same intervals on every run."""
    rng = np.random.default_rng(9)
    cases = difficulty(30, rng)
    tables = {f"s{k}": table_of(cases - 0.004 * k + rng.normal(0, 0.01, cases.shape)) for k in range(5)}
    assert rank_intervals(tables) == rank_intervals(tables)


def test_one_pair_has_the_interval_of_the_paired_t_test() -> None:
    """For two submissions, a lead is sure where SciPy's paired t test says so, within what draws allow."""
    rng = np.random.default_rng(10)
    values = rng.normal(0.5, 0.05, (60, 2))
    half_width = stats.t.ppf(0.975, 59) * stats.sem(values[:, 0] - values[:, 1])
    for factor, expected in ((0.97, False), (1.03, True)):
        uncertain = of_plain_means(values)
        scores = np.array([factor * half_width, 0.0])
        assert surely_better(scores, uncertain, uncertain.noise(40_000))[0, 1] == expected


def test_three_submissions_have_the_limit_of_the_studentised_range() -> None:
    """Equally noisy, independent scores: the limit is Tukey's, the studentised range over √2, as in SciPy."""
    uncertain = Uncertainty(np.eye(3), np.ones((3, 3)), np.full(3, 1e9))
    limit = stats.studentized_range.ppf(0.95, 3, np.inf) / np.sqrt(2)
    for factor, expected in ((0.97, False), (1.03, True)):
        scores = np.array([factor * limit * np.sqrt(2), 0.0, 0.0])
        assert surely_better(scores, uncertain, uncertain.noise(40_000))[0].any() == expected


def each_its_own_label(lead: float) -> np.ndarray:
    """DSC of twelve cases, each with a label that no other one has, and of two submissions, `(12, 12, 2)`."""
    rng = np.random.default_rng(13)
    dsc = np.full((12, 12, 2), np.nan)
    for i in range(12):
        dsc[i, i] = rng.uniform(0.5, 0.8, 2) + np.array([lead, 0.0])
    return dsc


def test_labels_of_single_cases_are_not_certain() -> None:
    """Leaving out the only case with a label makes the label go, which moves the score: the interval is Student's."""
    dsc = each_its_own_label(0.0)
    values = np.stack([dsc[i, i] for i in range(12)])
    expected = stats.t.interval(0.95, 11, values.mean(axis=0), stats.sem(values))
    for row in standings(scores_of(dsc, first_label=8)).rows:
        column = int(row.slug[1])
        assert (row.score_low, row.score_high) == pytest.approx((expected[0][column], expected[1][column]), rel=1e-6)


@pytest.mark.parametrize("lead", [0.02, 0.05, 0.08, 0.1, 0.15, 0.2])
def test_then_a_lead_is_sure_as_by_the_paired_t_test(lead: float) -> None:
    """All draws agree about the lead, and it is sure only if SciPy's t test of the twelve differences says so."""
    dsc = each_its_own_label(lead)
    values = np.stack([dsc[i, i] for i in range(12)])
    rejected = stats.ttest_rel(values[:, 0], values[:, 1]).pvalue < 0.05
    found = standings(scores_of(dsc, first_label=8))
    assert (found.rows[1].low == 2) == rejected


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 14))
def test_an_interval_contains_its_rank(seed: int, n_submissions: int, n_cases: int) -> None:
    """Whatever the scores: 1 ≤ low ≤ rank ≤ high ≤ n, and intervals apart from each other are ordered as the ranks."""
    rng = np.random.default_rng(seed)
    dsc = np.round(rng.choice([-1.0, 0.3, 0.9], (n_submissions, n_cases, 3)) + rng.normal(0, 0.05), 1)
    found = rank_intervals({f"s{k}": table_of(values) for k, values in enumerate(dsc)})
    for each in found.values():
        assert 1 <= each.low <= each.rank <= each.high <= each.n_ranked == n_submissions
    for one, other in combinations(found.values(), 2):
        if one.high < other.low:
            assert one.rank < other.rank
