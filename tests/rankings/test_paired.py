"""Case tables to arrays: which rows count, what the policies make of them, and what cannot be compared."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious

from ctspine_bench.aggregate import official_table
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.paired import (
    LOSSES,
    MEASURES,
    METRICS,
    REGIONS,
    PairedScores,
    case_means,
    joined,
    label_counts,
    label_means,
    pair,
    same_vertebrae,
)
from ctspine_bench.records import CaseResult, Failure
from ctspine_bench.tables import case_table, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

# C7 and T1 in b, T1 in c; a has no vertebra in its reference.
ONE = (
    case("b", mask("C7", 0.8, 150.0, cut=True), missed("T1"), spurious("T2"), mask("spine", 0.7, 4.0), source="VerSe"),
    case("a", spurious("L1"), slice_spacing_mm=3.0),
    case("c", mask("T1", 0.9, 3.0), slice_spacing_mm=0.5, transitional=True, source="COLONOG"),
)
OTHER = (
    case("a"),
    case("b", missed("C7"), mask("T1", 0.4, 12.0), source="VerSe"),
    case("c", mask("T1", 0.6, 99.0), spurious("C7"), transitional=True, source="COLONOG"),
)


def table_of(cases: tuple[CaseResult, ...]) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


def both() -> PairedScores:
    """The scores of ONE and OTHER."""
    return pair({"one": table_of(ONE), "other": table_of(OTHER)})


def assert_same(found: PairedScores, expected: PairedScores) -> None:
    """All arrays are equal."""
    assert found.slugs == expected.slugs
    for field in fields(found.reference):
        assert np.array_equal(getattr(found.reference, field.name), getattr(expected.reference, field.name)), field.name
    assert found.measures.keys() == expected.measures.keys()
    for name, values in expected.measures.items():
        assert np.array_equal(found.measures[name], values), name


def test_reference_by_hand() -> None:
    """Cases are sorted, the one without a vertebra among them; rows are the vertebrae of the references, in order."""
    reference = both().reference
    assert reference.case_ids == ("a", "b", "c")
    assert reference.sources == ("", "VerSe", "COLONOG")
    assert reference.slice_spacing_mm.tolist() == [3.0, 1.0, 0.5]
    assert reference.transitional.tolist() == [False, False, True]
    assert [reference.case_ids[i] for i in reference.case] == ["b", "b", "c"]
    assert [VERTEBRAE[label - 1] for label in reference.label] == ["C7", "T1", "T1"]
    assert reference.cut.tolist() == [True, False, False]


def test_policies_by_hand() -> None:
    """A missed vertebra has DSC and NSD 0 and HD95 100 mm, at which HD95 ends; a spurious one does not count."""
    measures = both().measures
    assert measures["dsc"].tolist() == [[0.8, 0.0], [0.0, 0.4], [0.9, 0.6]]
    assert measures["hd95_mm"].tolist() == [[100.0, 100.0], [100.0, 12.0], [3.0, 99.0]]
    assert measures["nsd_2mm"].tolist() == measures["dsc"].tolist()
    assert measures["missed"].tolist() == [[0, 1], [1, 0], [0, 0]]
    assert measures["loss_missed"].tolist() == [[0, 1], [1, 0], [0, 0]]
    assert measures["loss_boundary"] == pytest.approx(np.array([[0.2, 0.0], [0.0, 0.6], [0.1, 0.4]]), abs=1e-15)
    assert tuple(measures) == MEASURES


def test_metrics_say_what_a_missed_vertebra_gets() -> None:
    """The table of metrics and the rows agree about it."""
    one = pair({"one": table_of((case("a", missed("L1")),))})
    assert {name: one.measures[name].item() for name in METRICS} == {
        name: metric.missed for name, metric in METRICS.items()
    }


def test_losses_are_what_dice_lacks() -> None:
    """The three causes add up to 1 − DSC in every row."""
    measures = both().measures
    assert sum(measures[loss] for loss in LOSSES) == pytest.approx(1 - measures["dsc"], abs=1e-15)


def test_regions_cover_all_labels_once() -> None:
    """Cervical, thoracic and lumbar labels are all labels."""
    parts = [label for name, labels in REGIONS.items() if name != "all" for label in labels]
    assert parts == list(REGIONS["all"]) == list(range(1, 26))


def test_label_means_by_hand_and_as_published() -> None:
    """C7 is in one case, T1 in two; every other label is NaN. They are the means of the official table."""
    paired = both()
    means = label_means(paired, "dsc")
    assert means.shape == (25, 2)
    assert means[6].tolist() == [0.8, 0.0]
    assert means[7] == pytest.approx([0.45, 0.5], abs=1e-15)
    assert np.isnan(np.delete(means, [6, 7], axis=0)).all()
    assert label_counts(paired).tolist() == [0] * 6 + [1, 2] + [0] * 17
    for metric in METRICS:
        for column, table in enumerate((table_of(ONE), table_of(OTHER))):
            official = official_table(table).labels
            expected = [getattr(official[name], metric) for name in VERTEBRAE]
            expected = [np.nan if value is None else value for value in expected]
            assert label_means(paired, metric)[:, column] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_case_means_by_hand() -> None:
    """The mean over the vertebrae of each case, of a region alone if asked; NaN for a case without any."""
    nan = pytest.approx(np.nan, nan_ok=True)
    assert case_means(both(), "dsc").tolist() == [[nan, nan], [0.4, 0.2], [0.9, 0.6]]
    assert case_means(both(), "hd95_mm").tolist() == [[nan, nan], [100.0, 56.0], [3.0, 99.0]]
    assert case_means(both(), "dsc", "cervical").tolist() == [[nan, nan], [0.8, 0.0], [nan, nan]]


def test_case_means_are_a_group_mean() -> None:
    """Against pandas, which groups the same rows by case."""
    table = table_of(ONE)
    rows = table[(table["row"] == "vertebra") & (table["status"] != "spurious")]
    expected = rows.groupby("case_id")["dsc"].mean()
    found = case_means(pair({"one": table}), "dsc")[:, 0]
    assert np.isnan(found[0])
    assert dict(zip("bc", found[1:], strict=True)) == expected.astype(float).to_dict()


def test_some_submissions() -> None:
    """Columns come in the order asked for; one that is not there is an error."""
    swapped = both().of("other", "one")
    assert swapped.slugs == ("other", "one")
    assert swapped.measures["dsc"].tolist() == [[0.0, 0.8], [0.4, 0.0], [0.6, 0.9]]
    assert_same(swapped.of("one"), pair({"one": table_of(ONE)}))
    with pytest.raises(ValueError, match="nobody"):
        both().of("nobody")


def test_some_cases() -> None:
    """What is left is what pairing the tables of those cases alone would give."""
    kept = both().of_cases(np.array([True, False, True]))
    expected = pair({"one": table_of((ONE[1], ONE[2])), "other": table_of((OTHER[0], OTHER[2]))})
    assert_same(kept, expected)
    assert both().of_cases(np.array([True, False, False])).n_cases == 1


def test_some_vertebrae_of_all_cases() -> None:
    """Rows go, cases stay."""
    kept = both().of_rows(np.array([False, True, True]))
    assert_same(kept, both().of_labels([8]))
    assert kept.n_cases == 3
    assert kept.reference.case_ids == ("a", "b", "c")
    assert (kept.reference.case.tolist(), kept.reference.label.tolist()) == ([1, 2], [8, 8])
    assert kept.measures["dsc"].tolist() == [[0.0, 0.4], [0.9, 0.6]]
    assert both().of_labels([]).measures["dsc"].shape == (0, 2)


def test_side_by_side_is_as_together() -> None:
    """Submissions that were paired one at a time, as the board keeps them, join to what pairing all gives."""
    parts = [pair({"one": table_of(ONE)}), pair({"other": table_of(OTHER)})]
    assert_same(joined(parts), both())
    with pytest.raises(ValueError, match="at least one"):
        joined([])


def test_the_order_of_rows_means_nothing() -> None:
    """However the rows of a table are shuffled, the arrays are the same."""
    shuffled = {
        "one": table_of(ONE).sample(frac=1, random_state=1),
        "other": table_of(OTHER).sample(frac=1, random_state=2),
    }
    assert_same(pair(shuffled), both())


def test_a_table_from_disk_is_the_same(tmp_path: Path) -> None:
    """What was written and read again gives the same arrays, to the last bit."""
    write_table(table_of(ONE), tmp_path / "cases.parquet")
    assert_same(pair({"one": read_table(tmp_path / "cases.parquet")}), pair({"one": table_of(ONE)}))


def test_a_case_whose_reference_could_not_be_read_has_no_vertebra() -> None:
    """It has a row of its own, which counts as a case."""
    unread = CaseResult("d", None, None, Failure("E_NIFTI", "reference", ""), (), None, None)
    paired = pair({"one": table_of((*ONE, unread))})
    assert paired.reference.case_ids == ("a", "b", "c", "d")
    assert np.isnan(paired.reference.slice_spacing_mm[3])
    assert np.isnan(case_means(paired, "dsc")[3]).all()


def test_without_rows_of_cases_the_vertebrae_name_them() -> None:
    """A table of vertebrae alone is enough; what only rows of cases say is unknown."""
    table = table_of(OTHER)
    paired = pair({"one": table[table["row"] == "vertebra"]})
    assert paired.reference.case_ids == ("b", "c")
    assert paired.reference.sources == ("VerSe", "COLONOG")
    assert np.isnan(paired.reference.slice_spacing_mm).all()
    assert not paired.reference.transitional.any()


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        (OTHER[1:], "2 cases with 3 vertebrae, or others"),
        ((*OTHER, case("secret-7", mask("C1", 0.9, 1.0))), "4 cases with 4 vertebrae, or others"),
        ((*OTHER[:2], case("c", mask("T2", 0.6, 9.0))), "3 cases with 3 vertebrae, or others"),
        ((*OTHER[1:], case("aa")), "3 cases with 3 vertebrae, or others"),
        ((case("a"), case("b"), case("c")), "none"),
        ((*OTHER, case("c", mask("T1", 0.6, 9.0))), "more"),
    ],
    ids=[
        "a case without vertebrae less",
        "a case more",
        "another label",
        "another case without vertebrae",
        "no vertebra at all",
        "a vertebra twice",
    ],
)
def test_what_cannot_be_compared_is_refused(cases: tuple[CaseResult, ...], found: str) -> None:
    """Other cases or reference vertebrae are an error of that submission, which names no case."""
    with pytest.raises(SubmissionError) as caught:
        pair({"one": table_of(ONE), "stray": table_of(cases)})
    assert (caught.value.code, caught.value.path, caught.value.found) == ("E_RECORD", "stray", found)
    assert "secret" not in str(caught.value)


def test_the_same_vertebrae() -> None:
    """Cases and labels decide; what else is known of a case does not."""
    reference = both().reference
    assert same_vertebrae(reference, replace(reference, sources=("x", "y", "z"), cut=~reference.cut))
    assert not same_vertebrae(reference, both().of_labels([8]).reference)
    assert not same_vertebrae(reference, replace(reference, case_ids=("a", "b", "d")))
