"""Comparing two submissions: against SciPy, statsmodels, brute force and published examples."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulated_scores import board_of, scores_of
from statsmodels.stats.multitest import multipletests

from ctspine_bench.rankings.paired import PairedScores, case_means
from ctspine_bench.rankings.pairwise import (
    PairwiseTest,
    _interval,
    holm,
    p_values_of_all,
    pairwise_tests,
    walsh_averages,
    wilcoxon,
)

# Hollander & Wolfe, table 3.1: depression scores of nine patients before and after therapy.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
# Darwin's maize: crossed less self-fertilised plant, in eighths of an inch.
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], float)


def some_differences(n: int, seed: int) -> np.ndarray:
    """Skewed differences without ties or zeros."""
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 0.02, n) - 0.015


def test_textbook_example() -> None:
    """Hollander & Wolfe's example 3.1 to 3.3: estimate .46; interval .010 to .786, the 6th and 40th of 45 averages."""
    found = wilcoxon(BEFORE - AFTER)
    assert found.effect == pytest.approx(0.46, abs=1e-12)
    assert (found.n, found.p, found.low, found.high) == (9, None, None, None)
    walsh = np.sort(walsh_averages(BEFORE - AFTER))
    assert (walsh.size, _interval(walsh, 9)) == (45, (walsh[5], walsh[39]))
    assert _interval(walsh, 9) == pytest.approx((0.010, 0.786), abs=1e-12)


def test_maize_by_hand() -> None:
    """The two negative differences have ranks 14 and 10: T = 96, z = (96 − 60) / √310."""
    z = (96 - 60) / np.sqrt(310)
    found = wilcoxon(MAIZE)
    assert found.p == pytest.approx(2 * stats.norm.sf(z), rel=1e-12)
    assert found.p == pytest.approx(0.041, abs=5e-4)
    assert found.low is not None
    assert found.low > 0


@pytest.mark.parametrize("seed", range(3))
def test_p_is_near_the_exact_one(seed: int) -> None:
    """Of the sums of ranks under all 2¹⁰ signs, this share is farther from 0, those as far counted half, within .02."""
    differences = np.append(some_differences(8, seed), [0.0, 0.0])
    ranks = stats.rankdata(np.abs(differences)) * (differences != 0)
    sums = np.array([np.dot(signs, ranks) for signs in product([-1, 1], repeat=10)])
    observed = abs(np.dot(np.sign(differences), ranks))
    exact = np.mean(np.abs(sums) > observed) + np.mean(np.abs(sums) == observed) / 2
    assert wilcoxon(differences).p == pytest.approx(exact, abs=0.02)


def test_zeros_by_hand() -> None:
    """Pratt: zeros take the lowest ranks and no side. Two zeros, ranks 3 to 9 positive, rank 10 negative."""
    differences = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, -8], float) / 100
    z = (sum(range(3, 10)) - 10) / np.sqrt(sum(rank**2 for rank in range(3, 11)))
    assert wilcoxon(differences).p == pytest.approx(2 * stats.norm.sf(z), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=14))
def test_effect_is_the_median_of_all_means_of_two(values: list[int]) -> None:
    """Hodges–Lehmann by plain loops."""
    differences = np.array(values) / 10
    means = [(differences[i] + differences[j]) / 2 for i in range(len(values)) for j in range(i, len(values))]
    assert sorted(walsh_averages(differences)) == pytest.approx(sorted(means))
    assert wilcoxon(differences).effect == pytest.approx(float(np.median(means)), abs=1e-12)


@pytest.mark.parametrize(("n", "seed"), [(10, 0), (11, 1), (25, 2), (60, 3)])
def test_interval_is_what_the_test_does_not_reject(n: int, seed: int) -> None:
    """Just inside an end, SciPy's test of the shifted differences does not reject at 5 %; just outside, it does."""
    differences = some_differences(n, seed)
    found = wilcoxon(differences)
    assert found.low is not None
    assert found.high is not None
    for inside, outside in ((found.low + 1e-9, found.low - 1e-9), (found.high - 1e-9, found.high + 1e-9)):
        p_inside, p_outside = (
            stats.wilcoxon(differences - shift, method="asymptotic").pvalue for shift in (inside, outside)
        )
        assert p_outside < 0.05 <= p_inside


def test_interval_covers_the_median() -> None:
    """Of 400 intervals of the median of 30 symmetric differences, about 95 % cover it."""
    rng = np.random.default_rng(5)
    walsh = (np.sort(walsh_averages(rng.laplace(0.01, 0.05, 30))) for _ in range(400))
    covered = sum(low <= 0.01 <= high for low, high in (_interval(each, 30) for each in walsh))
    assert 366 <= covered <= 394


def test_no_difference_and_no_cases() -> None:
    """Twins have p 1 and an effect of 0; without a case in common there is no effect."""
    assert wilcoxon(np.zeros(12)) == PairwiseTest(12, 1.0, 0.0, 0.0, 0.0)
    assert wilcoxon(np.full(12, 1e-15)) == PairwiseTest(12, 1.0, 0.0, 0.0, 0.0)
    nothing = wilcoxon(np.full(12, np.nan))
    assert (nothing.n, nothing.p, nothing.low) == (0, None, None)
    assert np.isnan(nothing.effect)


def test_under_ten_cases_there_is_an_effect_alone() -> None:
    """Nine cases have neither p nor interval, ten have; a case without a vertebra is none of them."""
    differences = np.append(some_differences(9, 4), np.nan)
    found = wilcoxon(differences)
    assert (found.n, found.p, found.low, found.high) == (9, None, None, None)
    assert wilcoxon(np.append(differences, 0.01)).p is not None


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, 1) | st.just(0.01), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    """Corrected p values, ties and all, in the order given."""
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


def test_holm_by_hand() -> None:
    """Times 3, times 2, times 1; never smaller than the one before, never above 1."""
    assert holm([0.03, 0.01, 0.04]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_all_pairs() -> None:
    """Each pair by itself, positive where the first has more; p values are corrected together."""
    paired = board_of(30, np.random.default_rng(6), (0.0, 0.02, 0.06))
    found = pairwise_tests(paired, "dsc")
    means = case_means(paired, "dsc")
    assert list(found) == [("s0", "s1"), ("s0", "s2"), ("s1", "s2")]
    for (one, other), test in found.items():
        differences = means[:, int(one[1])] - means[:, int(other[1])]
        assert test.p == pytest.approx(stats.wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue)
        assert test.effect == wilcoxon(differences).effect
    corrected = multipletests([test.p for test in found.values()], method="holm")[1]
    assert [test.p_holm for test in found.values()] == pytest.approx(corrected)
    assert found["s0", "s2"].effect < 0


def test_all_pairs_in_a_region_and_a_unit() -> None:
    """Only vertebrae of the region count; HD95 differs in mm, and more of it is positive."""
    dsc = np.full((12, 4, 2), 0.8)
    hd95_mm = np.tile(np.array([[4.0, 3.0], [4.0, 3.0], [9.0, 2.0], [9.0, 2.0]]), (12, 1, 1))
    paired = scores_of(dsc, hd95_mm=hd95_mm)  # T11, T12, L1, L2
    assert pairwise_tests(paired, "hd95_mm", "lumbar")["s0", "s1"].effect == 7.0
    assert pairwise_tests(paired, "hd95_mm")["s0", "s1"].effect == 4.0
    assert pairwise_tests(paired, "dsc")["s0", "s1"].p == 1.0


def with_strays(n_strays: int) -> PairedScores:
    """Twelve cases with T1, of which the first four have C7 too, alike; s1 has a spurious C7 in so many others."""
    dsc = np.full((12, 2, 2), 0.8)
    dsc[4:, 0] = np.nan
    spurious = np.zeros(dsc.shape, bool)
    spurious[4 : 4 + n_strays, 0, 1] = True
    return scores_of(dsc, first_label=7, spurious=spurious)


def test_a_spurious_vertebra_counts_against_who_has_it() -> None:
    """In eight cases without a cervical reference s1 has a C7: 0 against 1, and 100 mm against 0; four are even.

    By hand: the zeros have the ranks 1 to 4 and no side, the other eight 8.5 each: z = √8, and two-sided p .0047. Of
    all means of two differences 36 are 1, 32 one half and 10 zero: the median is one half.
    """
    paired = with_strays(8)
    for metric, sign in (("dsc", 1), ("nsd_3mm", 1), ("hd95_mm", -100)):
        found = pairwise_tests(paired, metric, "cervical")["s0", "s1"]
        assert (found.n, found.effect) == (12, sign * 0.5)
        assert found.p is None  # only four references have the region
        one_sided = p_values_of_all(paired, metric, "cervical")
        assert one_sided[0, 1] == pytest.approx(stats.norm.sf(np.sqrt(8)), rel=1e-12)
        assert one_sided[1, 0] == pytest.approx(stats.norm.cdf(np.sqrt(8)), rel=1e-12)
    # Over all regions, the case is the mean of .8 and 0, and of 20 mm and 100 mm.
    assert pairwise_tests(paired, "dsc")["s0", "s1"].effect == pytest.approx(0.2)
    assert pairwise_tests(paired, "hd95_mm")["s0", "s1"].effect == pytest.approx(-20)
    assert pairwise_tests(paired, "dsc", "thoracic")["s0", "s1"].p == 1.0


def test_cases_where_neither_has_anything_are_none() -> None:
    """Five spurious vertebrae beside four references make nine cases; ten references are needed for a test."""
    assert pairwise_tests(with_strays(5), "dsc", "cervical")["s0", "s1"] == PairwiseTest(9, None, 0.5, None, None)
    found = pairwise_tests(with_strays(6), "dsc", "cervical")["s0", "s1"]
    assert (found.n, found.p, found.low) == (10, None, None)


def test_a_third_one_does_not_change_the_test_of_two() -> None:
    """Spurious vertebrae of one submission add no case to the comparison of two others."""
    rng = np.random.default_rng(12)
    dsc = rng.uniform(0.6, 0.9, (40, 2, 3))
    dsc[12:, 0] = np.nan
    spurious = np.zeros(dsc.shape, bool)
    spurious[12:, 0, 2] = True
    paired = scores_of(dsc, first_label=7, spurious=spurious)
    for metric in ("dsc", "hd95_mm"):
        alone = pairwise_tests(paired.of("s0", "s1"), metric, "cervical")["s0", "s1"]
        found = pairwise_tests(paired, metric, "cervical")["s0", "s1"]
        assert replace(found, p_holm=alone.p_holm) == alone
        assert found.n == 12
        of_all, of_two = (p_values_of_all(each, metric, "cervical") for each in (paired, paired.of("s0", "s1")))
        assert of_all[:2, :2] == pytest.approx(of_two)


def test_tests_that_were_not_made_need_no_correction() -> None:
    """Under ten cases nobody is tested, and nothing is corrected."""
    found = pairwise_tests(board_of(9, np.random.default_rng(7), (0.0, 0.0, 0.5)), "dsc")
    assert {(test.p, test.p_holm) for test in found.values()} == {(None, None)}


def test_the_order_of_submissions_turns_signs_alone() -> None:
    """Swapped, the same two have the opposite effect, and the same p."""
    paired = board_of(25, np.random.default_rng(8), (0.0, 0.02))
    one, other = pairwise_tests(paired, "dsc")["s0", "s1"], pairwise_tests(paired.of("s1", "s0"), "dsc")["s1", "s0"]
    assert (other.p, other.effect) == pytest.approx((one.p, -one.effect))
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


@pytest.mark.parametrize(("metric", "better"), [("dsc", "greater"), ("hd95_mm", "less")])
@pytest.mark.parametrize("region", ["all", "lumbar"])
@pytest.mark.parametrize("stray", [0.0, 0.3], ids=["none spurious", "some spurious"])
def test_one_sided_p_values_are_those_of_scipy(metric: str, better: str, region: str, stray: float) -> None:
    """For every ordered pair: that the one of the row is better, ties and zeros by Pratt."""
    dsc = np.round(np.random.default_rng(9).beta(8, 2, (23, 5, 4)), 1)
    dsc[::3, 2:] = np.nan
    dsc[:5, :, 1] = dsc[:5, :, 0]
    spurious = np.random.default_rng(11).random(dsc.shape) < stray
    paired = scores_of(dsc, spurious=spurious)
    found, means = p_values_of_all(paired, metric, region), case_means(paired, metric, region)
    assert np.isnan(means[~np.isnan(means).all(axis=1)]).any() == (stray > 0 and region == "lumbar")
    for i, j in combinations(range(4), 2):
        of_two = means[:, [i, j]]
        of_two = of_two[~np.isnan(of_two).all(axis=1)]
        of_two[np.isnan(of_two)] = 1.0 if metric == "dsc" else 0.0
        for one, other, sign in ((i, j, 1), (j, i, -1)):
            differences = np.round(sign * (of_two[:, 0] - of_two[:, 1]), 9)
            expected = stats.wilcoxon(differences, zero_method="pratt", method="asymptotic", alternative=better)
            assert found[one, other] == pytest.approx(expected.pvalue, rel=1e-9)
    assert np.diag(found).tolist() == [1.0] * 4


def test_twins_have_no_side() -> None:
    """Equal scores: neither is better, p is ½ both ways, or what no test gives without cases."""
    dsc = np.repeat(np.random.default_rng(10).uniform(0.5, 0.9, (12, 3, 1)), 2, axis=2)
    paired = scores_of(dsc)
    assert p_values_of_all(paired, "dsc", "all").tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert p_values_of_all(paired, "dsc", "cervical").tolist() == [[1.0, 0.5], [0.5, 1.0]]
