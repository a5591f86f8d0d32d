"""Ranks by the digits that are told: no rank, share or removal tells what the scores beside it do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings import SCHEMES, standings
from ctspine_bench.rankings.paired import pair
from ctspine_bench.rankings.rank_then_mean import left_out
from ctspine_bench.rankings.removal import Removal
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

    from ctspine_bench.rankings.paired import PairedScores

LEVELS = ("T12", "L1", "L2")
AHEAD = stats.t.cdf(1, 39)
"""The share of draws in which who is better in one of 40 cases is ahead: the difference is its own standard error."""


def table_of(dsc: np.ndarray, hd95_mm: float = 4.0) -> pd.DataFrame:
    """A case table with a DSC for each case and level, `(n, 3)`."""
    cases = [
        case(f"case-{i:03d}", *(mask(name, float(value), hd95_mm) for name, value in zip(LEVELS, row, strict=True)))
        for i, row in enumerate(dsc)
    ]
    return case_table(cases, "custom")


def twins(gain: float, n_cases: int = 40) -> PairedScores:
    """Two submissions that differ in one vertebra of one case by `gain`, and one that is far behind."""
    rng = np.random.default_rng(1)
    dsc = rng.uniform(0.6, 0.9, (n_cases, len(LEVELS)))
    better = dsc.copy()
    better[7, 1] += gain
    return pair({"as it was": table_of(dsc), "one case better": table_of(better), "behind": table_of(dsc - 0.5)})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_case_better_is_not_ahead(scheme: str) -> None:
    """Who changes one case by little does not learn from ranks or removal whether it got better."""
    found = standings(twins(0.01), scheme, as_told=True)
    assert [(row.slug, row.rank) for row in found.rows] == [("as it was", 1), ("one case better", 1), ("behind", 3)]
    assert [row.low for row in found.rows[:2]] == [found.rows[0].low] * 2
    assert [row.high for row in found.rows[:2]] == [found.rows[0].high] * 2
    assert found.stability.removal == (Removal(0, exact=True) if SCHEMES[scheme].left_out else None)


@pytest.mark.parametrize("gain", [0.01, -0.4])
def test_nor_do_shares_of_draws_tell_of_those_that_are_alike(gain: float) -> None:
    """Draws do not part them, however large the difference: each is ahead in half; others are as ever."""
    found = standings(twins(gain), as_told=True, alike=np.array([0, 1, 0]))
    rows = {row.slug: row for row in found.rows}
    for slug in ("as it was", "one case better"):
        assert rows[slug].frequencies == (0.5, 0.5, 0.0)
        assert (rows[slug].low, rows[slug].high) == (1, 2)
    assert rows["behind"].frequencies == (0.0, 0.0, 1.0)
    assert found.stability.removal == Removal(0, exact=True)
    apart = standings(twins(gain), as_told=True)
    assert sorted(row.p_first for row in apart.rows) == pytest.approx([0.0, 1 - AHEAD, AHEAD], abs=0.02)


def test_with_all_digits_it_would_be_told() -> None:
    """What the rule prevents: by all digits the one case decides the order, and most of the draws."""
    found = standings(twins(0.01))
    assert [(row.slug, row.rank) for row in found.rows[:2]] == [("one case better", 1), ("as it was", 2)]
    assert [row.p_first for row in found.rows[:2]] == pytest.approx([AHEAD, 1 - AHEAD], abs=0.02)
    assert found.stability.removal is not None
    assert found.stability.removal.n != 0


def test_what_the_digits_tell_is_ranked() -> None:
    """A lead that can be read off the scores is one: .01 in the mean over 40 cases and three levels is 1.2 here."""
    rng = np.random.default_rng(2)
    dsc = rng.uniform(0.6, 0.8, (40, 3))
    found = standings(pair({"a": table_of(dsc), "b": table_of(dsc + 0.01)}), as_told=True)
    assert [(row.slug, row.rank, row.low, row.high) for row in found.rows] == [("b", 1, 1, 1), ("a", 2, 2, 2)]


def test_ties_are_broken_by_what_is_told_of_the_other_metric() -> None:
    """Equal with three digits of DSC, the two digits of HD95 decide, though the DSC of the other is larger."""
    dsc = np.full((12, 3), 0.8)
    close = {"near": table_of(dsc, 3.99), "larger dsc": table_of(dsc + 0.0001, 4.0), "same": table_of(dsc, 3.994)}
    found = standings(pair(close), as_told=True)
    assert [(row.slug, row.rank) for row in found.rows] == [("near", 1), ("same", 1), ("larger dsc", 3)]
    assert found.stability.removal == Removal(0, exact=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 14))
def test_an_interval_contains_its_rank(seed: int, n_submissions: int, n_cases: int) -> None:
    """Also when scores tie that differ surely, or when the metric that breaks ties turns them round."""
    rng = np.random.default_rng(seed)
    shared = rng.uniform(0.5, 0.9, (n_cases, 3))
    tables = {
        f"s{k}": table_of(shared + rng.choice([0.0, 0.0002, 0.02]), float(rng.choice([3.0, 4.0])))
        for k in range(n_submissions)
    }
    for row in standings(pair(tables), as_told=True).rows:
        assert row.low is not None
        assert row.high is not None
        assert 1 <= row.low <= row.rank <= row.high <= n_submissions


def test_without_the_region_there_is_no_ranking() -> None:
    """Leaving out the one case with a cervical vertebra leaves nothing to rank by, and nobody leads then."""
    cases = [case("a", mask("C1", 0.8, 1.0), mask("L1", 0.8, 1.0)), case("b", mask("L1", 0.5, 1.0))]
    worse = [case("a", mask("C1", 0.7, 1.0), mask("L1", 0.8, 1.0)), case("b", mask("L1", 0.5, 1.0))]
    paired = pair({"one": case_table(cases, "custom"), "other": case_table(worse, "custom")})
    found = left_out(paired, "dsc", "cervical")
    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [1, 2]
    for scheme in ("mean-then-rank", "rank-then-mean"):
        assert standings(paired, scheme, "dsc", "cervical").stability.leave_one_out_leaders == {}


@pytest.mark.parametrize(
    ("column", "value"), [("label", 0), ("label", 26), ("label", -1), ("dsc", np.inf), ("nsd_2mm", None)]
)
def test_tables_with_impossible_cells_are_refused(column: str, value: float | None) -> None:
    """A label that there is not, or a score that is no finite number, is an error and no score of another vertebra."""
    table = table_of(np.full((2, 3), 0.8))
    table.loc[0, column] = value
    with pytest.raises(SubmissionError, match="E_RECORD"):
        pair({"one": table})
