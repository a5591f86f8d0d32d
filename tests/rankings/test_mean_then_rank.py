"""The official score under case weights, and who ranks where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.aggregate import official_table
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.mean_then_rank import resampled, scores, tie_breaks
from ctspine_bench.rankings.paired import pair
from ctspine_bench.rankings.standings import standings
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

    from ctspine_bench.rankings.paired import PairedScores
    from ctspine_bench.records import CaseResult


def table_of(*cases: CaseResult) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


TWO_CASES = {
    # C1 is in case a alone, C2 in both.
    "one": table_of(case("a", mask("C1", 0.8, 1.0), mask("C2", 0.6, 2.0)), case("b", mask("C2", 0.9, 3.0))),
    "other": table_of(case("a", missed("C1"), mask("C2", 0.7, 1.0)), case("b", missed("C2"), spurious("C3"))),
}


def weighted(paired: PairedScores, weights: np.ndarray) -> np.ndarray:
    """Mean of Vertebrae DSC under case weights."""
    return resampled(paired, "dsc", "all", weights)


def test_weighted_scores_by_hand() -> None:
    """With weights ¼ and ¾, "one" has C1 .8 and C2 ¼·.6 + ¾·.9 = .825, in the mean .8125; "other" 0 and ¼·.7, .0875."""
    found = weighted(pair(TWO_CASES), np.array([[0.25, 0.75]]))
    assert found == pytest.approx(np.array([[0.8125, 0.0875]]), abs=1e-15)


def test_weights_count_only_in_proportion() -> None:
    """A label has the same mean however much weight the cases with it have in all."""
    paired = pair(TWO_CASES)
    found = weighted(paired, np.array([[0.25, 0.75], [1.0, 3.0]]))
    assert found[0] == pytest.approx(found[1], abs=1e-15)


def test_a_case_without_vertebrae_changes_no_score() -> None:
    """Its weight is lost, but it is counted as a case."""
    table = table_of(case("a", mask("C1", 0.8, 1.0)), case("b"), case("c", mask("C1", 0.4, 1.0)))
    paired = pair({"one": table})
    assert paired.n_cases == 3
    assert weighted(paired, np.array([[0.2, 0.6, 0.2]])) == pytest.approx(np.array([[0.6]]))


def test_failed_case_counts_as_missed() -> None:
    """All vertebrae of a refused prediction are 0 in the score, as in the official table."""
    table = table_of(case("a", mask("C1", 0.8, 1.0)), case("b", missed("C1"), missed("C2")))
    assert weighted(pair({"one": table}), np.array([[0.5, 0.5]])) == pytest.approx(np.array([[0.2]]))


MATCHED = st.tuples(st.floats(0, 1), st.floats(0, 300))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_equal_weights_give_the_official_table(data: st.DataObject) -> None:
    """For any vertebrae, equal weights give the Mean of Vertebrae of the official table."""
    names = st.sets(st.sampled_from(["C7", "T1", "L6"]))
    references = [{"C7"}, *data.draw(st.lists(names, max_size=4))]

    def draw_case(number: int, reference: set[str]) -> CaseResult:
        drawn = {name: data.draw(MATCHED | st.none()) for name in sorted(reference)}
        return case(
            f"case{number}", *(mask(name, *values) if values else missed(name) for name, values in drawn.items())
        )

    tables = {
        slug: table_of(*(draw_case(number, reference) for number, reference in enumerate(references)))
        for slug in ("one", "other")
    }
    expected = [official_table(table).mean_of_vertebrae.dsc for table in tables.values()]
    found = weighted(pair(tables), np.full((1, len(references)), 1 / len(references)))
    assert found[0] == pytest.approx(np.array(expected), abs=1e-12)


def test_many_draws_are_those_of_one_at_a_time() -> None:
    """Draws are scored in blocks; where a block ends makes no difference."""
    weights = np.random.default_rng(0).dirichlet(np.ones(2), size=1203)
    paired = pair(TWO_CASES)
    one_by_one = np.concatenate([weighted(paired, row[None]) for row in weights])
    assert weighted(paired, weights) == pytest.approx(one_by_one, abs=1e-15)


def test_scores_are_those_of_the_results() -> None:
    """The observed scores are the numbers of the official table, missed 100 mm and all; HD95 breaks ties of DSC."""
    expected = [official_table(table).mean_of_vertebrae for table in TWO_CASES.values()]
    paired = pair(TWO_CASES)
    assert scores(paired, "dsc", "all") == pytest.approx([means.dsc for means in expected], abs=1e-15)
    assert scores(paired, "hd95_mm", "all") == pytest.approx([means.hd95_mm for means in expected], abs=1e-12)
    assert tie_breaks(paired, "dsc", "all")[1] == pytest.approx(-(100 + (1 + 100) / 2) / 2)
    assert tie_breaks(paired, "nsd_2mm", "all").tolist() == [0, 0]


def test_a_region_is_the_mean_over_its_labels() -> None:
    """Lumbar labels alone enter the score of the lumbar spine; a region that no reference shows has none."""
    table = table_of(case("a", mask("T12", 0.2, 1.0), mask("L1", 0.8, 1.0), mask("L2", 0.6, 1.0)))
    paired = pair({"one": table})
    assert scores(paired, "dsc", "lumbar") == pytest.approx([0.7])
    assert scores(paired, "dsc", "thoracic") == pytest.approx([0.2])
    assert np.isnan(scores(paired, "dsc", "cervical")).all()
    assert standings(paired, region="cervical").rows == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([(0.9, 5.0), (0.8, 1.0), (0.95, 9.0)], [2, 3, 1]),
        ([(0.9, 5.0), (0.9, 4.0), (0.8, 1.0)], [2, 1, 3]),
        ([(0.9, 5.0), (0.9, 5.0), (0.8, 1.0), (0.95, 1.0)], [2, 2, 4, 1]),
        ([(0.9, 5.0)], [1]),
    ],
    ids=["by DSC", "tie broken by HD95", "full tie shares a rank", "alone"],
)
def test_ranks(given: list[tuple[float, float]], expected: list[int]) -> None:
    """DSC decides, then HD95; who ties in both shares a rank, and the next one follows after all of them."""
    tables = {f"s{i}": table_of(case("a", mask("C1", *values))) for i, values in enumerate(given)}
    ranks = {row.slug: row.rank for row in standings(pair(tables)).rows}
    assert [ranks[slug] for slug in tables] == expected


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        ([case("a", mask("C1", 0.8, 1.0), mask("C2", 0.6, 2.0))], "1 cases with 2 vertebrae"),
        ([case("a", mask("C1", 0.8, 1.0), mask("C2", 0.6, 2.0)), case("z", mask("C2", 0.9, 3.0))], "others"),
        ([case("a", mask("C1", 0.8, 1.0), mask("C3", 0.6, 2.0)), case("b", mask("C3", 0.9, 3.0))], "others"),
        ([case("a", mask("C2", 0.6, 2.0)), case("b", mask("C1", 0.8, 1.0), mask("C2", 0.9, 3.0))], "others"),
    ],
    ids=["a case less", "another case", "another label", "another reference"],
)
def test_only_what_can_be_compared_is_ranked(cases: list[CaseResult], found: str) -> None:
    """Tables about other cases or other references are refused, without naming a case."""
    with pytest.raises(SubmissionError) as caught:
        pair({**TWO_CASES, "stray": table_of(*cases)})
    assert (caught.value.code, caught.value.path) == ("E_RECORD", "stray")
    assert found in caught.value.found
    assert "'z'" not in str(caught.value)


def test_nothing_to_rank_is_an_error() -> None:
    """A test set without any reference vertebra has no score."""
    with pytest.raises(SubmissionError, match="E_RECORD"):
        pair({"one": table_of(case("a", spurious("C1")))})
