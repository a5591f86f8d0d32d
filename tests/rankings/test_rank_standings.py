"""The standings of a test set: by hand, by each scheme, on simulated boards with a known truth, and in any order."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulated_scores import board_of, scores_of

from ctspine_bench.jackknife import DRAWS, SEED
from ctspine_bench.rankings import SCHEMES, Standings, standings
from ctspine_bench.rankings.mean_then_rank import scores as means_of
from ctspine_bench.rankings.paired import METRICS, REGIONS, PairedScores, pair
from ctspine_bench.rankings.removal import Removal
from ctspine_bench.rankings.standings import Stability, scheme_agreement
from ctspine_bench.report.stability import coverage_sentence
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    from types import ModuleType

WITH_INTERVALS = [name for name, scheme in SCHEMES.items() if scheme.left_out]


def places(found: Standings) -> dict[str, tuple[int, int | None, int | None]]:
    """Submission → rank and rank interval."""
    return {row.slug: (row.rank, row.low, row.high) for row in found.rows}


def at_most(n: int, share: float) -> int:
    """The number that as many events of this probability exceed once in a thousand times."""
    return int(stats.binom.isf(1e-3, n, share))


def by_hand() -> PairedScores:
    """Two cases with T12, one of them with L1: "mean" wins on means, "often" in more cases."""
    tables = {
        "often": [case("a", mask("T12", 0.91, 2.0)), case("b", mask("T12", 0.81, 2.0)), case("c", missed("L1"))],
        "mean": [case("a", mask("T12", 0.90, 3.0)), case("b", mask("T12", 0.80, 3.0)), case("c", mask("L1", 0.5, 5.0))],
    }
    return pair({slug: case_table(cases, "custom") for slug, cases in tables.items()})


def test_means_by_hand() -> None:
    """T12 .86 and L1 0 make .43 against .85 and .5, .675; without case c the order turns round."""
    found = standings(by_hand())
    assert [(row.slug, row.rank, row.low, row.high) for row in found.rows] == [("mean", 1, 1, 2), ("often", 2, 1, 2)]
    assert [row.score for row in found.rows] == pytest.approx([0.675, 0.43])
    assert found.stability.leave_one_out_leaders == {"mean": 2, "often": 1}
    assert found.stability.removal == Removal(1, exact=True, case_ids=("c",), new_leader="often")
    assert (found.scheme, found.metric, found.region, found.n_cases) == ("mean-then-rank", "dsc", "all", 3)


def test_ranks_by_hand() -> None:
    """First in two of three cases, "often" has mean rank 4/3; without both of them it is second."""
    found = standings(by_hand(), "rank-then-mean")
    assert [(row.slug, row.rank) for row in found.rows] == [("often", 1), ("mean", 2)]
    assert [row.score for row in found.rows] == pytest.approx([4 / 3, 5 / 3])
    assert found.stability.leave_one_out_leaders == {"often": 3, "mean": 2}
    assert found.stability.removal == Removal(2, exact=True, case_ids=("a", "b"), new_leader="mean")


def test_the_scheme_of_tests_has_no_intervals() -> None:
    """Its score is made of tests: no draws, no intervals, nothing about stability."""
    found = standings(board_of(30, np.random.default_rng(1), (0.1, 0.0)), "significance")
    assert places(found) == {"s0": (1, None, None), "s1": (2, None, None)}
    assert [row.score for row in found.rows] == [1.0, 2.0]
    assert {(row.score_low, row.p_first, row.frequencies) for row in found.rows} == {(None, None, ())}
    assert (found.stability, found.coverage) == (Stability(None, {}, None), None)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("metric", ["dsc", "hd95_mm"])
def test_a_known_order_comes_out(scheme: str, metric: str) -> None:
    """Four submissions far apart have their rank by every scheme, and no other one where there are intervals."""
    paired = board_of(60, np.random.default_rng(2), (-0.3, 0.1, -0.1, -0.2))
    found = standings(paired, scheme, metric)
    assert [row.slug for row in found.rows] == ["s1", "s2", "s3", "s0"]
    ranks = [(rank, rank, rank) if scheme in WITH_INTERVALS else (rank, None, None) for rank in range(1, 5)]
    assert list(places(found).values()) == ranks
    if scheme in WITH_INTERVALS:
        assert [row.p_first for row in found.rows] == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=0.01)
        assert found.stability.kendall_tau == (1.0, 1.0, 1.0)
        assert found.stability.leave_one_out_leaders == {"s1": 60}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_tie_comes_out(scheme: str) -> None:
    """The same predictions under two names share rank, score, interval and every draw."""
    paired = board_of(50, np.random.default_rng(3), (-0.2, 0.0, 0.1)).of("s0", "s1", "s1", "s2")
    twins = PairedScores(("last", "twin", "copy", "first"), paired.vertebrae, paired.present, paired.measures)
    found = {row.slug: row for row in standings(twins, scheme).rows}
    assert [found[slug].rank for slug in ("first", "copy", "twin", "last")] == [1, 2, 2, 4]
    one, other = found["copy"], found["twin"]
    assert one.score == pytest.approx(other.score, abs=1e-12)
    assert (one.low, one.high) == (other.low, other.high) == ((2, 3) if scheme in WITH_INTERVALS else (None, None))
    assert one.frequencies == other.frequencies
    if scheme in WITH_INTERVALS:
        assert one.frequencies == (0.0, 0.5, 0.5, 0.0)


@pytest.mark.parametrize("scheme", WITH_INTERVALS)
def test_pure_noise_comes_out(scheme: str) -> None:
    """Of six equals each could have any rank, is first now and then, and orders of draws hardly agree."""
    found = standings(board_of(80, np.random.default_rng(4), (0.0,) * 6), scheme)
    assert {(row.low, row.high) for row in found.rows} == {(1, 6)}
    assert max(row.p_first or 0 for row in found.rows) < 0.9
    assert found.stability.kendall_tau is not None
    assert found.stability.kendall_tau[1] < 0.3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_worst_case_comes_out(scheme: str) -> None:
    """Who misses every vertebra is last: DSC 0, and surely behind everybody."""
    paired = board_of(40, np.random.default_rng(5), (-2.0, 0.0, 0.01, 0.02))
    last = standings(paired, scheme).rows[-1]
    assert (last.slug, last.rank) == ("s0", 4)
    if scheme in WITH_INTERVALS:
        assert (last.low, last.high, last.p_first) == (4, 4, 0.0)
    if scheme == "mean-then-rank":
        assert (last.score, last.score_low, last.score_high) == (0.0, 0.0, 0.0)
        assert standings(paired, scheme, "hd95_mm").rows[-1].score == pytest.approx(100.0)


@pytest.mark.parametrize(("n_cases", "n_submissions"), [(10, 2), (10, 8), (41, 8)])
def test_equals_have_no_winner(simulated: ModuleType, n_cases: int, n_submissions: int) -> None:
    """Of 150 boards of equals with rare labels, anybody is surely better on at most 5 %, within what chance allows."""
    rng = np.random.default_rng([6, n_cases, n_submissions])
    told_apart = 0
    for _ in range(150):
        paired = simulated.board(*simulated.simulate(n_cases, n_submissions, rng))
        told_apart += bool(simulated.sure_pairs(paired, draws=400).any())
    assert told_apart <= at_most(150, 0.05)


def test_a_tie_at_the_top_has_no_winner() -> None:
    """Of 100 boards with three equals and one far behind, that one is sure, and a winner among the three is rare."""
    rng = np.random.default_rng(7)
    winners = 0
    for _ in range(100):
        found = places(standings(board_of(40, rng, (0.0, 0.0, 0.0, -0.4)), draws=500))
        assert found.pop("s3") == (4, 4, 4)
        assert max(high for _, _, high in found.values() if high) <= 3
        winners += any(high < 3 for _, _, high in found.values() if high)
    assert winners <= at_most(100, 0.05)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(10, 16))
def test_an_interval_contains_its_rank(seed: int, n_submissions: int, n_cases: int) -> None:
    """For any scores, scheme, metric and region; frequencies are shares, scores within their bounds."""
    rng = np.random.default_rng(seed)
    dsc = rng.choice([0.0, 0.3, 0.9], (n_cases, 4, n_submissions)) + rng.choice([0.0, 0.05], (n_cases, 4, 1))
    dsc[rng.random((n_cases, 4)) < 0.3] = np.nan
    dsc[0, 3] = 0.5
    paired = scores_of(dsc)
    for scheme in WITH_INTERVALS:
        for metric, region in (("dsc", "all"), ("hd95_mm", "lumbar")):
            for row in standings(paired, scheme, metric, region, draws=200).rows:
                assert row.low is not None
                assert row.high is not None
                assert 1 <= row.low <= row.rank <= row.high <= n_submissions
                if row.score_low is None or row.score_high is None:
                    assert (row.low, row.high) == (1, n_submissions)
                    continue
                assert sum(row.frequencies) == pytest.approx(1)
                worst = n_submissions if SCHEMES[scheme].ranks else max(1.0, METRICS[metric].worst)
                assert 0 <= row.score_low <= row.score_high <= worst


def test_a_region_that_nine_cases_have_has_no_interval() -> None:
    """Of forty cases nine have a lumbar vertebra: there is an order by them, and nothing sure about it; ten will do."""
    for n_lumbar, low in ((9, 1), (10, 2)):
        dsc = np.full((40, 4, 2), np.nan)
        dsc[:, 0] = np.random.default_rng(8).uniform(0.5, 0.9, (40, 1)) + np.array([0.0, 0.1])
        dsc[:n_lumbar, 2] = dsc[:n_lumbar, 0] - [0.3, 0.0]
        found = standings(scores_of(dsc), region="lumbar")
        assert (found.rows[1].slug, found.rows[1].rank, found.rows[1].low) == ("s0", 2, low)
        assert (found.rows[0].score_low is None) == (n_lumbar < 10)
        assert (found.n_cases, found.coverage) == (n_lumbar, None)  # simulated is the whole spine
        assert found.stability.leave_one_out_leaders == {"s1": n_lumbar}


def test_cases_without_a_vertebra_have_no_say() -> None:
    """They are no tenth case, and change no number of the others."""
    dsc = np.random.default_rng(9).uniform(0.5, 0.9, (14, 3, 3))
    with_empty = np.concatenate([np.full((3, 3, 3), np.nan), dsc[:7], np.full((2, 3, 3), np.nan), dsc[7:]])
    assert places(standings(scores_of(with_empty))) == places(standings(scores_of(dsc)))
    for scheme in WITH_INTERVALS:
        found, expected = (standings(scores_of(each), scheme) for each in (with_empty, dsc))
        assert found.rows == expected.rows
        assert found.stability.leave_one_out_leaders == expected.stability.leave_one_out_leaders
    assert standings(scores_of(np.concatenate([np.full((3, 3, 3), np.nan), dsc[:9]]))).rows[0].score_low is None


def test_without_the_only_case_nobody_leads() -> None:
    """One case is ranked, cannot be left out, and cannot be removed."""
    dsc = np.tile([0.5, 0.6], (1, 2, 1))
    for scheme in WITH_INTERVALS:
        found = standings(scores_of(dsc), scheme)
        assert [(row.slug, row.rank) for row in found.rows] == [("s1", 1), ("s0", 2)]
        assert found.stability.leave_one_out_leaders == {}
        assert found.stability.removal is not None
        assert found.stability.removal.n is None


@pytest.mark.parametrize("scheme", WITH_INTERVALS)
def test_leaving_out_one_case_by_loops(scheme: str) -> None:
    """As often as the board without one case has another leader, so often is it told."""
    paired = board_of(12, np.random.default_rng(10), (0.0, 0.01, 0.0), noise=0.1)
    counted: dict[str, int] = {}
    for gone in range(12):
        without = standings(paired.of_cases(np.arange(12) != gone), scheme, draws=10)
        for row in without.rows:
            if row.rank == 1:
                counted[row.slug] = counted.get(row.slug, 0) + 1
    found = standings(paired, scheme, draws=10).stability.leave_one_out_leaders
    assert found == counted
    assert len(found) > 1


def test_shares_of_draws() -> None:
    """P(rank 1) is the first of the frequencies, which add up to 1 for each submission and each rank."""
    found = standings(board_of(30, np.random.default_rng(11), (0.0, 0.01, 0.02)))
    frequencies = np.array([row.frequencies for row in found.rows])
    assert frequencies.sum(axis=0) == pytest.approx(np.ones(3))
    assert frequencies.sum(axis=1) == pytest.approx(np.ones(3))
    assert [row.p_first for row in found.rows] == frequencies[:, 0].tolist()
    assert (found.draws, found.seed) == (DRAWS, SEED) == (10_000, 20210705)


def test_alone() -> None:
    """A single submission is first of one, whatever happens; there is no order to keep and no lead to lose."""
    found = standings(board_of(20, np.random.default_rng(12), (0.0,)))
    assert places(found) == {"s0": (1, 1, 1)}
    assert found.rows[0].frequencies == (1.0,)
    assert found.stability == Stability(None, {"s0": 20}, None)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_of_submissions_means_nothing(scheme: str) -> None:
    """Whoever comes first in the input, and among twins too: the standings are the same to the last bit."""
    paired = board_of(30, np.random.default_rng(13), (0.0, 0.01, 0.02, 0.02)).of("s0", "s1", "s2", "s3", "s3")
    paired = PairedScores(("b", "d", "e", "c", "a"), paired.vertebrae, paired.present, paired.measures)
    found = standings(paired, scheme)
    for order in (("a", "b", "c", "d", "e"), ("e", "d", "c", "b", "a"), ("c", "a", "e", "b", "d")):
        assert standings(paired.of(*order), scheme) == found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_of_cases_means_nothing(scheme: str) -> None:
    """With the same cases under other names, draws fall otherwise: what is observed stays, the rest by little."""
    rng = np.random.default_rng(14)
    dsc = board_of(60, rng, (0.0, 0.02, 0.2)).measures["dsc"].reshape(-1, 1, 3)[:150]
    found, other = (standings(scores_of(each), scheme) for each in (dsc, dsc[rng.permutation(150)]))
    assert [(row.slug, row.rank) for row in found.rows] == [(row.slug, row.rank) for row in other.rows]
    assert [row.score for row in found.rows] == pytest.approx([row.score for row in other.rows], abs=1e-12)
    assert places(found) == places(other)
    assert found.stability.leave_one_out_leaders == other.stability.leave_one_out_leaders
    if found.stability.removal and other.stability.removal:
        assert found.stability.removal.n == other.stability.removal.n
        width = found.rows[0].score_high - found.rows[0].score_low
        for one, another in zip(found.rows, other.rows, strict=True):
            assert [one.score_low, one.score_high] == pytest.approx(
                [another.score_low, another.score_high], abs=0.1 * width
            )
            assert one.p_first == pytest.approx(another.p_first, abs=0.03)


def test_without_known_bad_cases() -> None:
    """Dropping cases gives the standings of the others."""
    paired = board_of(30, np.random.default_rng(15), (0.0, 0.02))
    keep = np.arange(30) % 7 > 0
    dropped = standings(paired.of_cases(keep))
    assert dropped.n_cases == 25
    assert [row.score for row in dropped.rows] == sorted(means_of(paired.of_cases(keep), "dsc", "all"), reverse=True)


def test_agreement_of_schemes() -> None:
    """Kendall's τ_b of the ranks, as in SciPy, for each two schemes; without a task there is nothing to agree with."""
    paired = board_of(30, np.random.default_rng(16), (0.0, 0.01, 0.02, 0.05, 0.1))
    ranks = {
        name: [row.rank for row in sorted(standings(paired, name, draws=10).rows, key=lambda row: row.slug)]
        for name in SCHEMES
    }
    found = scheme_agreement(paired, "dsc", "all")
    assert list(found) == list(combinations(SCHEMES, 2))
    for (one, other), tau in found.items():
        assert tau == pytest.approx(stats.kendalltau(ranks[one], ranks[other]).statistic)
    few = scheme_agreement(paired.of_cases(np.arange(30) < 9), "dsc", "all")
    assert np.isnan([few["mean-then-rank", "significance"], few["rank-then-mean", "significance"]]).all()
    assert few["mean-then-rank", "rank-then-mean"] > 0


def test_nobody_is_ranked_without_a_vertebra() -> None:
    """A region that no reference shows has no standings by any scheme."""
    paired = board_of(20, np.random.default_rng(17), (0.0, 0.1))
    for scheme in SCHEMES:
        found = standings(paired, scheme, region="cervical")
        assert (found.rows, found.stability, found.n_cases) == ((), Stability(None, {}, None), 0)
    assert "cervical" in REGIONS


def test_how_far_intervals_can_be_trusted_is_said() -> None:
    """What the simulation found is said where it is not 93 to 97 %, and where equals are parted too often."""
    paired = board_of(41, np.random.default_rng(18), (0.0, 0.02))
    few = standings(paired.of_cases(np.arange(41) < 12), draws=50)
    assert (
        "12 cases, 95 % intervals are too narrow: in simulations they covered the truth in 90 %"
        in coverage_sentence(few)
    )
    assert "are wider than they need to be" in coverage_sentence(standings(paired, draws=50))
    by_rank = coverage_sentence(standings(paired, "rank-then-mean", draws=50))
    assert by_rank == "In simulations, equals were told apart by mean rank on 6 % of boards."
    assert coverage_sentence(standings(paired.of_cases(np.arange(41) < 9), draws=50)) == ""
    assert coverage_sentence(standings(board_of(150, np.random.default_rng(19), (0.0,)), draws=50)) == ""
