"""Case tables to arrays: which rows count, what the policies make of them, and what cannot be compared."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from case_results import case, mask, missed, spurious

from ctspine_bench.aggregate import official_table, scored_vertebrae
from ctspine_bench.anatomy import VERTEBRAE, vertebra_label
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.paired import (
    LOSSES,
    MEASURES,
    METRICS,
    REGIONS,
    PairedScores,
    by_label,
    case_means,
    cases_of_region,
    comparable_case_means,
    joined,
    label_counts,
    label_means,
    pair,
    same_references,
)
from ctspine_bench.records import CaseResult, Failure, VertebraScore
from ctspine_bench.tables import case_table, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

# C7 and T1 are in the reference of b, T1 in that of c; that of a has no vertebra.
ONE = (
    case("b", mask("C7", 0.8, 150.0, cut=True), missed("T1"), spurious("T2"), mask("spine", 0.7, 4.0), source="VerSe"),
    case("a", spurious("L1", at_border=True), slice_spacing_mm=3.0),
    case("c", mask("T1", 0.9, 3.0), slice_spacing_mm=0.5, transitional=True, source="COLONOG"),
)
OTHER = (
    case("a"),
    case("b", missed("C7"), mask("T1", 0.4, 12.0), source="VerSe"),
    case("c", mask("T1", 0.6, 99.0), spurious("C7"), transitional=True, source="COLONOG"),
)
C7, T1, T2, L1 = (vertebra_label(name) for name in ("C7", "T1", "T2", "L1"))
NAN = pytest.approx(np.nan, nan_ok=True)


def table_of(cases: tuple[CaseResult, ...]) -> pd.DataFrame:
    """The case table of some cases."""
    return case_table(cases, "custom")


def both() -> PairedScores:
    """The scores of ONE and OTHER."""
    return pair({"one": table_of(ONE), "other": table_of(OTHER)})


def drawn_tables(seed: int) -> dict[str, pd.DataFrame]:
    """Tables of three submissions on nine cases: of seven labels, some matched, missed or spurious, others in none."""
    rng = np.random.default_rng(seed)
    names = ("C7", "T1", "T2", "T12", "L1", "L5", "L6")
    in_reference = rng.random((9, len(names))) < [0.5, 0.5, 0.2, 0.8, 0.8, 0.5, 0.0]
    in_reference[3], in_reference[0, 0] = False, True

    def drawn(name: str, *, referenced: bool) -> list[VertebraScore]:
        if not referenced:
            return [spurious(name)] if rng.random() < 0.2 else []
        return [missed(name) if rng.random() < 0.2 else mask(name, rng.uniform(), 120 * rng.uniform())]

    return {
        slug: table_of(
            tuple(
                case(f"case{i}", *(m for j, name in enumerate(names) for m in drawn(name, referenced=row[j])))
                for i, row in enumerate(in_reference)
            )
        )
        for slug in ("a", "b", "c")
    }


def assert_same(found: PairedScores, expected: PairedScores) -> None:
    """All arrays are equal."""
    assert found.slugs == expected.slugs
    for field in fields(found.vertebrae):
        assert np.array_equal(
            getattr(found.vertebrae, field.name),
            getattr(expected.vertebrae, field.name),
            equal_nan=field.name == "slice_spacing_mm",
        ), field.name
    assert np.array_equal(found.present, expected.present)
    assert found.measures.keys() == expected.measures.keys()
    for name, values in expected.measures.items():
        assert np.array_equal(found.measures[name], values), name


def test_vertebrae_by_hand() -> None:
    """Cases are sorted, the one without a vertebra among them; rows are what a reference or a prediction has."""
    vertebrae = both().vertebrae
    assert vertebrae.case_ids == ("a", "b", "c")
    assert vertebrae.sources == ("", "VerSe", "COLONOG")
    assert vertebrae.slice_spacing_mm.tolist() == [3.0, 1.0, 0.5]
    assert vertebrae.transitional.tolist() == [False, False, True]
    assert "".join(vertebrae.case_ids[i] for i in vertebrae.case) == "abbbcc"
    assert [VERTEBRAE[label - 1] for label in vertebrae.label] == ["L1", "C7", "T1", "T2", "C7", "T1"]
    assert vertebrae.in_reference.tolist() == [False, True, True, False, False, True]
    assert vertebrae.cut.tolist() == [False, True, False, False, False, False]


def test_a_spurious_vertebra_is_that_of_who_predicts_it() -> None:
    """A reference vertebra counts for everybody, L1 in a and T2 in b for "one" alone, C7 in c for "other" alone."""
    assert both().present.tolist() == [[1, 0], [1, 1], [1, 1], [1, 0], [0, 1], [1, 1]]


def test_policies_by_hand() -> None:
    """Missed or spurious is DSC and NSD 0 and HD95 100 mm, at which HD95 ends; what does not count is 0."""
    measures = both().measures
    assert measures["dsc"].tolist() == [[0, 0], [0.8, 0.0], [0.0, 0.4], [0, 0], [0, 0], [0.9, 0.6]]
    assert measures["hd95_mm"].tolist() == [[100, 0], [100, 100], [100, 12], [100, 0], [0, 100], [3, 99]]
    assert measures["nsd_2mm"].tolist() == measures["dsc"].tolist()
    assert measures["missed"].tolist() == [[0, 0], [0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert measures["loss_missed"].tolist() == [[0, 0], [0, 1], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert measures["loss_spurious"].tolist() == [[1, 0], [0, 0], [0, 0], [1, 0], [0, 1], [0, 0]]
    boundary = np.array([[0, 0], [0.2, 0.0], [0.0, 0.6], [0, 0], [0, 0], [0.1, 0.4]])
    assert measures["loss_boundary"] == pytest.approx(boundary, abs=1e-15)
    assert tuple(measures) == MEASURES


def test_metrics_say_what_the_best_and_the_worst_get() -> None:
    """The table of metrics and the rows agree about a perfect vertebra, and about a missed or spurious one."""
    one = pair({"one": table_of((case("a", missed("L1"), mask("L2", 1.0, 0.0), spurious("L3")),))})
    for name, metric in METRICS.items():
        assert one.measures[name][:, 0].tolist() == [metric.worst, metric.best, metric.worst]


@pytest.mark.parametrize("seed", range(3))
def test_losses_are_what_dice_lacks(seed: int) -> None:
    """The four causes add up to 1 − DSC in every row that counts, and to nothing where it does not."""
    for paired in (both(), pair(drawn_tables(seed))):
        lost = (1 - paired.measures["dsc"]) * paired.present
        assert sum(paired.measures[loss] for loss in LOSSES) == pytest.approx(lost, abs=1e-15)


def test_regions_cover_all_labels_once() -> None:
    """Cervical, thoracic and lumbar labels are all labels."""
    parts = [label for name, labels in REGIONS.items() if name != "all" for label in labels]
    assert parts == list(REGIONS["all"]) == list(range(1, 26))


def test_label_means_by_hand() -> None:
    """C7 is in one case for "one", in two for "other", and T1 in two; "other" has neither T2 nor L1."""
    paired = both()
    means, counts = label_means(paired, "dsc"), label_counts(paired)
    assert means.shape == counts.shape == (25, 2)
    for label, mean, n in (
        (C7, [0.8, 0.0], [1, 2]),
        (T1, [0.45, 0.5], [2, 2]),
        (T2, [0.0, np.nan], [1, 0]),
        (L1, [0.0, np.nan], [1, 0]),
    ):
        assert means[label - 1] == pytest.approx(mean, abs=1e-15, nan_ok=True)
        assert counts[label - 1].tolist() == n
    others = [label - 1 for label in REGIONS["all"] if label not in {C7, T1, T2, L1}]
    assert np.isnan(means[others]).all()
    assert not counts[others].any()


@pytest.mark.parametrize("seed", range(4))
def test_label_means_are_a_group_mean_and_as_published(seed: int) -> None:
    """Against pandas, which groups all rows of a submission's own table by label; and the official table."""
    tables = drawn_tables(seed)
    paired = pair(tables)
    assert (label_counts(paired).max(axis=1) > label_counts(paired).min(axis=1)).any()
    for column, table in enumerate(tables.values()):
        groups = scored_vertebrae(table).groupby("label")
        assert label_counts(paired)[:, column].tolist() == groups.size().reindex(REGIONS["all"], fill_value=0).tolist()
        official = official_table(table).labels
        assert label_counts(paired)[:, column].tolist() == [official[name].n for name in VERTEBRAE]
        for metric in METRICS:
            means = label_means(paired, metric)[:, column]
            expected = groups[metric].mean().reindex(REGIONS["all"]).to_numpy(float, na_value=np.nan)
            assert means == pytest.approx(expected, abs=1e-12, nan_ok=True)
            published = [getattr(official[name], metric) for name in VERTEBRAE]
            assert means == pytest.approx(np.array(published, float), abs=1e-12, nan_ok=True)


def test_case_means_by_hand() -> None:
    """The mean over the vertebrae of each case, of a region alone if asked; NaN for a case without any."""
    means = case_means(both(), "dsc")
    assert means.tolist() == [[0, NAN], [pytest.approx(0.8 / 3), 0.2], [0.9, 0.3]]
    assert case_means(both(), "hd95_mm").tolist() == [[100, NAN], [100, 56], [3, 99.5]]
    assert case_means(both(), "dsc", "cervical").tolist() == [[NAN, NAN], [0.8, 0.0], [NAN, 0.0]]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("region", ["all", "cervical", "lumbar"])
def test_case_means_are_a_group_mean(region: str, seed: int) -> None:
    """Against pandas, which groups the same rows by case."""
    tables = drawn_tables(seed)
    paired = pair(tables)
    for metric in METRICS:
        found = case_means(paired, metric, region)
        for column, table in enumerate(tables.values()):
            rows = scored_vertebrae(table)
            groups = rows[rows["label"].isin(REGIONS[region])].groupby("case_id")
            expected = groups[metric].mean().reindex(paired.vertebrae.case_ids).to_numpy(float, na_value=np.nan)
            assert found[:, column] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_within_a_case_who_rightly_has_nothing_is_best() -> None:
    """No reference has a vertebra in a, nor a cervical one in c: who predicts one is worst, who does not is best."""
    paired = both()
    assert comparable_case_means(paired, "dsc").tolist() == [[0, 1], [pytest.approx(0.8 / 3), 0.2], [0.9, 0.3]]
    assert comparable_case_means(paired, "hd95_mm").tolist() == [[100, 0], [100, 56], [3, 99.5]]
    assert comparable_case_means(paired, "nsd_1mm", "cervical").tolist() == [[NAN, NAN], [0.8, 0.0], [1, 0]]
    assert comparable_case_means(paired, "hd95_mm", "cervical").tolist() == [[NAN, NAN], [100, 100], [0, 100]]
    assert comparable_case_means(paired, "dsc", "lumbar").tolist() == [[0, 1], [NAN, NAN], [NAN, NAN]]


@pytest.mark.parametrize("seed", range(4))
def test_comparable_means_differ_only_where_there_is_none(seed: int) -> None:
    """They are the means where there are any; else the best value in cases where another has one, and NaN elsewhere."""
    paired = pair(drawn_tables(seed))
    for region in REGIONS:
        there = cases_of_region(paired, region)
        for name, metric in METRICS.items():
            means, found = case_means(paired, name, region), comparable_case_means(paired, name, region)
            for i, j in np.ndindex(means.shape):
                expected = means[i, j] if not np.isnan(means[i, j]) else metric.best if there[i] else np.nan
                assert found[i, j] == pytest.approx(expected, nan_ok=True)


def test_cases_of_a_region() -> None:
    """A case is of a region if the reference or anybody's prediction has a vertebra of it."""
    expected = {"all": [1, 1, 1], "cervical": [0, 1, 1], "thoracic": [0, 1, 1], "lumbar": [1, 0, 0]}
    assert {region: cases_of_region(both(), region).tolist() for region in REGIONS} == expected
    assert cases_of_region(both().of("one"), "cervical").tolist() == [False, True, False]


@pytest.mark.parametrize("region", REGIONS)
def test_by_label_has_every_row_at_its_place(region: str) -> None:
    """The array by case and label is that of a loop over rows, 0 wherever nothing counts."""
    paired = pair(drawn_tables(1))
    values, present = by_label(paired, "hd95_mm", region)
    expected = np.zeros((9, len(REGIONS[region]), 3)), np.zeros((9, len(REGIONS[region]), 3))
    vertebrae = paired.vertebrae
    for row, (i, label) in enumerate(zip(vertebrae.case, vertebrae.label, strict=True)):
        if label in REGIONS[region]:
            at = i, REGIONS[region].index(label)
            expected[0][at], expected[1][at] = paired.measures["hd95_mm"][row], paired.present[row]
    assert np.array_equal(values, expected[0])
    assert np.array_equal(present, expected[1])
    assert present.any()


def test_some_submissions() -> None:
    """Columns come in the order asked for, what others alone predict is gone; one that is not there is an error."""
    swapped = both().of("other", "one")
    assert swapped.slugs == ("other", "one")
    assert swapped.measures["dsc"].tolist() == [[0, 0], [0.0, 0.8], [0.4, 0.0], [0, 0], [0, 0], [0.6, 0.9]]
    assert swapped.present.tolist() == both().present[:, ::-1].tolist()
    assert_same(swapped.of("one"), pair({"one": table_of(ONE)}))
    alone = swapped.of("other")
    assert alone.vertebrae.label.tolist() == [C7, T1, C7, T1]
    assert alone.present.all()
    with pytest.raises(ValueError, match="nobody"):
        both().of("nobody")


def test_some_cases() -> None:
    """What is left is what pairing the tables of those cases alone would give."""
    kept = both().of_cases(np.array([True, False, True]))
    expected = pair({"one": table_of((ONE[1], ONE[2])), "other": table_of((OTHER[0], OTHER[2]))})
    assert_same(kept, expected)
    assert kept.vertebrae.label.tolist() == [L1, C7, T1]
    assert both().of_cases(np.array([True, False, False])).n_cases == 1


def test_some_vertebrae_of_all_cases() -> None:
    """Rows go, cases stay."""
    kept = both().of_rows(np.array([False, False, True, False, False, True]))
    assert_same(kept, both().of_labels([T1]))
    assert kept.n_cases == 3
    assert kept.vertebrae.case_ids == ("a", "b", "c")
    assert (kept.vertebrae.case.tolist(), kept.vertebrae.label.tolist()) == ([1, 2], [8, 8])
    assert kept.measures["dsc"].tolist() == [[0.0, 0.4], [0.9, 0.6]]
    assert both().of_labels([]).measures["dsc"].shape == both().of_labels([]).present.shape == (0, 2)
    cervical = both().of_labels([C7])
    assert (cervical.vertebrae.in_reference.tolist(), cervical.present.tolist()) == ([True, False], [[1, 1], [0, 1]])


def test_side_by_side_is_as_together() -> None:
    """Submissions that were paired one at a time, as the board keeps them, join to what pairing all gives."""
    parts = [pair({"one": table_of(ONE)}), pair({"other": table_of(OTHER)})]
    assert_same(joined(parts), both())
    with pytest.raises(ValueError, match="at least one"):
        joined([])


@pytest.mark.parametrize("seed", range(4))
def test_parts_with_other_spurious_vertebrae_join_to_the_same(seed: int) -> None:
    """In parts of one or two, in any order, and taken apart again, three submissions are what pairing them gives."""
    tables = drawn_tables(seed)
    together = pair(tables)
    alone = {slug: pair({slug: table}) for slug, table in tables.items()}
    n_spurious = [int((~part.vertebrae.in_reference).sum()) for part in alone.values()]
    assert max(n_spurious) < (~together.vertebrae.in_reference).sum() <= sum(n_spurious)
    assert_same(joined([alone["a"], together.of("b", "c")]), together)
    assert_same(joined([together.of("c", "a"), alone["b"]]).of("a", "b", "c"), together)
    for slug, part in alone.items():
        assert_same(together.of(slug), part)
    keep = np.arange(9) % 3 < 2
    kept = {
        slug: table[table["case_id"].isin(np.array(together.vertebrae.case_ids)[keep])]
        for slug, table in tables.items()
    }
    assert_same(together.of_cases(keep), pair(kept))


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
    assert paired.vertebrae.case_ids == ("a", "b", "c", "d")
    assert np.isnan(paired.vertebrae.slice_spacing_mm[3])
    assert np.isnan(case_means(paired, "dsc")[3]).all()


def test_without_rows_of_cases_the_vertebrae_name_them() -> None:
    """A table of vertebrae alone is enough; what only rows of cases say is unknown."""
    table = table_of(OTHER)
    paired = pair({"one": table[table["row"] == "vertebra"]})
    assert paired.vertebrae.case_ids == ("b", "c")
    assert paired.vertebrae.sources == ("VerSe", "COLONOG")
    assert np.isnan(paired.vertebrae.slice_spacing_mm).all()
    assert not paired.vertebrae.transitional.any()


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


def test_the_same_references() -> None:
    """Cases and their reference vertebrae decide; what is spurious, or else is known of a case, does not."""
    vertebrae = both().vertebrae
    assert same_references(vertebrae, replace(vertebrae, sources=("x", "y", "z"), cut=~vertebrae.cut))
    one, other = both().of("one").vertebrae, both().of("other").vertebrae
    assert one.label.tolist() != other.label.tolist()
    for each in (one, other, vertebrae.of_rows(vertebrae.in_reference)):
        assert same_references(each, vertebrae)
        assert same_references(one, each)
    assert not same_references(vertebrae, both().of_labels([T1]).vertebrae)
    assert not same_references(vertebrae, replace(vertebrae, case_ids=("a", "b", "d")))
    for row in range(6):
        other_reference = vertebrae.in_reference ^ (np.arange(6) == row)
        assert not same_references(vertebrae, replace(vertebrae, in_reference=other_reference))
