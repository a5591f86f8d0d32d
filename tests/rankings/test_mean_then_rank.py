"""The official score, without one case at a time and by how much each carries it, and who ranks where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.aggregate import official_table
from ctspine_bench.anatomy import vertebra_label
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.mean_then_rank import left_out, scores, tie_breaks, weights
from ctspine_bench.rankings.paired import METRICS, REGIONS, pair
from ctspine_bench.rankings.standings import standings
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    import pandas as pd

    from ctspine_bench.records import CaseResult, VertebraScore


def table_of(*cases: CaseResult) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


TWO_CASES = {
    # C1 is in case a alone, C2 in both.
    "one": table_of(case("a", mask("C1", 0.8, 1.0), mask("C2", 0.6, 2.0)), case("b", mask("C2", 0.9, 3.0))),
    "other": table_of(case("a", missed("C1"), mask("C2", 0.7, 1.0)), case("b", missed("C2"), spurious("C3"))),
}


def test_scores_by_hand() -> None:
    """C1 .8 and C2 .75 for "one"; C1 0, C2 (.7 + 0) / 2 and a spurious C3 of 0 for "other", which has a label more."""
    paired = pair(TWO_CASES)
    assert scores(paired, "dsc", "all") == pytest.approx([0.775, 0.35 / 3], abs=1e-15)
    assert scores(paired, "hd95_mm", "all") == pytest.approx([(1 + 2.5) / 2, (100 + 50.5 + 100) / 3], abs=1e-12)


def test_left_out_by_hand() -> None:
    """Without a, C1 is gone: .9 against C2 and C3 of 0; without b, C3 is: .8 and .6 against 0 and .7."""
    found = left_out(pair(TWO_CASES), "dsc", "all")
    assert found == pytest.approx(np.array([[0.9, 0.0], [0.7, 0.35]]), abs=1e-15)


def test_weights_by_hand() -> None:
    """C1 is all of a's, C2 half of it: ¾ of two labels; C3, which no reference has, weighs nothing."""
    paired = pair(TWO_CASES)
    assert weights(paired, "all").tolist() == [0.75, 0.25]
    assert weights(paired.of("one"), "cervical").tolist() == [0.75, 0.25]
    assert weights(paired, "lumbar").tolist() == [0.0, 0.0]


def test_a_case_without_vertebrae_changes_no_score() -> None:
    """It carries nothing, and without it the score is the same; but it is counted as a case."""
    table = table_of(case("a", mask("C1", 0.8, 1.0)), case("b"), case("c", mask("C1", 0.4, 1.0)))
    paired = pair({"one": table})
    assert paired.n_cases == 3
    assert left_out(paired, "dsc", "all") == pytest.approx(np.array([[0.4], [0.6], [0.8]]))
    assert weights(paired, "all").tolist() == [0.5, 0.0, 0.5]


def test_a_spurious_vertebra_where_the_reference_has_none_costs_score() -> None:
    """One voxel called L6 in a case without vertebrae makes a third label of 0; without that case it is gone."""
    clean = [case("a", mask("T12", 0.8, 1.0)), case("b", mask("L1", 0.6, 2.0))]
    paired = pair({"clean": table_of(*clean, case("c")), "stray": table_of(*clean, case("c", spurious("L6")))})
    assert scores(paired, "dsc", "all") == pytest.approx([0.7, 1.4 / 3])
    assert scores(paired, "hd95_mm", "all") == pytest.approx([1.5, 103 / 3])
    assert left_out(paired, "dsc", "all") == pytest.approx(np.array([[0.6, 0.3], [0.8, 0.4], [0.7, 0.7]]))
    assert weights(paired, "all").tolist() == [0.5, 0.5, 0.0]


def test_failed_case_counts_as_missed() -> None:
    """All vertebrae of a refused prediction are 0 in the score, as in the official table."""
    table = table_of(case("a", mask("C1", 0.8, 1.0)), case("b", missed("C1"), missed("C2")))
    assert scores(pair({"one": table}), "dsc", "all") == pytest.approx([0.2])
    assert official_table(table).mean_of_vertebrae.dsc == pytest.approx(0.2)


NAMES = ("C7", "T1", "L5", "L6")
MATCHED = st.tuples(st.floats(0, 1), st.floats(0, 300))
REFERENCES = st.lists(st.sets(st.sampled_from(NAMES)), max_size=4).map(lambda others: [{"C7"}, *others])


@st.composite
def boards(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """The tables of two submissions on the same cases: any vertebra is matched or missed, any other one spurious."""
    references = draw(REFERENCES)

    def draw_mask(name: str, reference: set[str]) -> list[VertebraScore]:
        if name not in reference:
            return [spurious(name)] if draw(st.booleans()) else []
        values = draw(MATCHED | st.none())
        return [mask(name, *values) if values else missed(name)]

    return {
        slug: table_of(
            *(
                case(f"case{i}", *(m for name in NAMES for m in draw_mask(name, reference)))
                for i, reference in enumerate(references)
            )
        )
        for slug in ("one", "other")
    }


def official(table: pd.DataFrame, metric: str, region: str = "all") -> float:
    """The mean, over the labels of a region in the official table, of their means; NaN without any."""
    labels = official_table(table).labels
    means = [getattr(labels[name], metric) for name in NAMES if vertebra_label(name) in REGIONS[region]]
    means = [mean for mean in means if mean is not None]
    return sum(means) / len(means) if means else np.nan


@settings(max_examples=20, deadline=None)
@given(boards())
def test_scores_are_those_of_the_official_table(tables: dict[str, pd.DataFrame]) -> None:
    """For any vertebrae, spurious ones among them: Mean of Vertebrae in every metric, and in every region."""
    paired = pair(tables)
    for metric in METRICS:
        published = [getattr(official_table(table).mean_of_vertebrae, metric) for table in tables.values()]
        assert scores(paired, metric, "all") == pytest.approx(published, abs=1e-12)
    for region in REGIONS:
        expected = [official(table, "dsc", region) for table in tables.values()]
        assert scores(paired, "dsc", region) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(boards(), st.sampled_from(["dsc", "hd95_mm", "nsd_2mm"]), st.sampled_from(["all", "cervical", "lumbar"]))
def test_left_out_is_the_official_table_without_the_case(
    tables: dict[str, pd.DataFrame], metric: str, region: str
) -> None:
    """Computed again without each case in a loop; NaN where nothing would be left."""
    paired = pair(tables)
    found = left_out(paired, metric, region)
    assert found.shape == (paired.n_cases, 2)
    for i, gone in enumerate(paired.vertebrae.case_ids):
        expected = [official(table[table["case_id"] != gone], metric, region) for table in tables.values()]
        assert found[i] == pytest.approx(expected, abs=1e-10, nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(boards())
def test_weights_are_the_shares_of_references(tables: dict[str, pd.DataFrame]) -> None:
    """A case has 1 / n of each of its n-fold reference labels, and all labels the same; in all that is 1."""
    paired = pair(tables)
    rows = tables["one"][(tables["one"]["row"] == "vertebra") & (tables["one"]["status"] != "spurious")]
    for region in ("all", "cervical", "lumbar"):
        of_region = rows[rows["label"].isin(REGIONS[region])]
        n = of_region.groupby("label").size()
        expected = [
            sum(1 / n[label] / len(n) for label in of_region.loc[of_region["case_id"] == case_id, "label"])
            for case_id in paired.vertebrae.case_ids
        ]
        assert weights(paired, region) == pytest.approx(expected, abs=1e-12)
        assert weights(paired, region).sum() == pytest.approx(float(len(n) > 0), abs=1e-12)


def test_what_breaks_ties() -> None:
    """HD95 breaks ties of DSC, missed and spurious 100 mm and all; DSC those of HD95; nothing breaks those of NSD."""
    paired = pair(TWO_CASES)
    assert tie_breaks(paired, "dsc", "all") == pytest.approx([-1.75, -250.5 / 3])
    assert tie_breaks(paired, "hd95_mm", "all") == pytest.approx([0.775, 0.35 / 3])
    assert tie_breaks(paired, "nsd_2mm", "all").tolist() == [0, 0]


def test_a_region_is_the_mean_over_its_labels() -> None:
    """Lumbar labels alone enter the score of the lumbar spine; a region that no reference shows has none."""
    table = table_of(case("a", mask("T12", 0.2, 1.0), mask("L1", 0.8, 1.0), mask("L2", 0.6, 1.0)))
    paired = pair({"one": table})
    assert scores(paired, "dsc", "lumbar") == pytest.approx([0.7])
    assert scores(paired, "dsc", "thoracic") == pytest.approx([0.2])
    assert np.isnan(scores(paired, "dsc", "cervical")).all()
    assert standings(paired, region="cervical").rows == ()


def test_a_region_that_predictions_alone_show_has_a_score_and_no_order() -> None:
    """Who predicts an L1 where no reference has one gets 0 for it, the other one nothing; nobody is ranked by it."""
    reference = mask("T12", 0.8, 1.0)
    paired = pair({"clean": table_of(case("a", reference)), "stray": table_of(case("a", reference, spurious("L1")))})
    assert scores(paired, "dsc", "lumbar") == pytest.approx([np.nan, 0.0], nan_ok=True)
    assert standings(paired, region="lumbar").rows == ()
    assert [(row.slug, row.rank) for row in standings(paired).rows] == [("clean", 1), ("stray", 2)]


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
