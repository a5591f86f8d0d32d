"""Of a record, what pages need: of the expected shape, or an error that says what is not."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from board_records import PRIVATE, PUBLIC, VERSE, change_cases, spines
from hypothesis import given, settings
from hypothesis import strategies as st

from ctspine_bench.board.condensed import condensed, largest_group, paired_scores
from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings.paired import pair
from ctspine_bench.submissions.records import Record, read_record
from ctspine_bench.tables import case_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@pytest.fixture(scope="module")
def record(made: Path) -> Record:
    return read_record(made / "submissions" / "beta")


def with_results(record: Record, results: dict[str, Any] | None) -> Record:
    return Record(record.slug, record.folder, record.declaration, record.declaration_sha256, results, record.cases)


def changed(record: Record, place: tuple[str, ...], value: object) -> Record:
    """The record with another value in one place of its results."""
    results = copy.deepcopy(record.results)
    part: Any = results
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return with_results(record, results)


def test_numbers_are_those_of_the_record(record: Record) -> None:
    """Means, counts, naming, losses and sources of every test set, as they stand in results.json."""
    found = condensed(record)
    assert found is not None
    assert record.results is not None
    assert list(found["test_sets"]) == [PUBLIC, PRIVATE, VERSE]
    for name, condensed_set in found["test_sets"].items():
        given_set = record.results["test_sets"][name]
        for mean in ("mean_of_vertebrae", "mean_of_spine"):
            for key in ("n", "n_reference", "n_matched", "dsc", "hd95_mm", "hd95_matched_mm"):
                assert condensed_set[mean][key] == given_set[mean].get(key), (name, mean, key)
        assert condensed_set["labels"]["L1"]["dsc"] == given_set["labels"]["L1"]["dsc"]
        assert condensed_set["counts"]["missed"] == given_set["counts"]["missed"]
        assert condensed_set["loss"] == given_set["loss"]
        assert condensed_set["identification"]["label_shifts"] == given_set["identification"]["label_shifts"]
        assert condensed_set["per_case"]["dsc"] == {
            key: given_set["per_case"]["dsc"][key] for key in ("mean", "low", "high")
        }
        n_cases = {source: part["n_cases"] for source, part in given_set["sources"].items()}
        assert {source: part["n_cases"] for source, part in condensed_set["sources"].items()} == n_cases
        assert (condensed_set["private"], condensed_set["complete"]) == (name == PRIVATE, True)


def test_variants_and_shared_labels_are_those_of_public_sets(record: Record) -> None:
    """n, DSC and HD95 of every variant; a private set has none, even if somebody puts them there."""
    found = condensed(record)
    assert found is not None
    assert record.results is not None
    for name in (PUBLIC, VERSE):
        part, given_part = found["test_sets"][name], record.results["test_sets"][name]
        assert list(part["variants"]) == ["complete", "cut", "border_forgiven"]
        for variant, table in part["variants"].items():
            given_table = given_part["variants"][variant]
            for key in ("n", "dsc", "hd95_mm"):
                assert table["labels"]["L1"][key] == given_table["labels"]["L1"][key]
                assert table["mean_of_vertebrae"][key] == given_table["mean_of_vertebrae"][key]
        assert part["shared_labels"] == given_part["shared_labels"]
    planted = record.results["test_sets"][PUBLIC]
    for key in ("variants", "shared_labels", "without_reference"):
        hidden = condensed(changed(record, ("test_sets", PRIVATE, key), planted[key] or {"C1": ["secret"]}))
        assert hidden is not None
        assert not hidden["test_sets"][PRIVATE][key]


def test_cases_without_a_reference_label_are_named(record: Record) -> None:
    """By label, those of known labels; what is no name of a case is told as it can be printed."""
    found = condensed(changed(record, ("test_sets", PUBLIC, "without_reference"), {"C1": ["a", "b\n"], "Z9": ["c"]}))
    assert found is not None
    assert found["test_sets"][PUBLIC]["without_reference"] == {"C1": ["a", "b\\n"]}


def test_it_is_small_and_json(record: Record) -> None:
    """What nobody asks for is left behind; the rest goes through JSON and back unchanged."""
    found = condensed(record)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert len(json.dumps(found)) < len(json.dumps(record.results)) / 2
    assert found is not None
    assert not {"failures", "notes", "field_of_view", "policies"} & found["test_sets"][PUBLIC].keys()


def test_a_record_without_results_has_none(record: Record) -> None:
    """Not scored yet is no error."""
    assert condensed(with_results(record, None)) is None


def test_other_test_sets_and_unknown_keys_are_left_behind(record: Record) -> None:
    """A test set that this version does not know, and keys with anything in them, do no harm."""
    found = condensed(changed(record, ("test_sets", "of tomorrow"), {"n_cases": "many"}))
    assert found == condensed(record)
    assert condensed(changed(record, ("test_sets", PUBLIC, "remarks"), [float("nan")])) == condensed(record)


def test_what_is_not_there_is_empty(record: Record) -> None:
    """A published record has means alone: all else is empty, and nothing is made up."""
    bare = {"schema_version": 2, "test_sets": {"public": {"mean_of_vertebrae": {"dsc": 0.9}}}}
    found = condensed(with_results(record, bare))
    assert found is not None
    public = found["test_sets"]["public"]
    assert public["mean_of_vertebrae"]["dsc"] == 0.9
    assert public["mean_of_vertebrae"]["hd95_mm"] is None
    assert (public["labels"], public["sources"], public["complete"], public["n_cases"]) == ({}, {}, False, None)
    assert found["provenance"]["engine_version"] is None


def test_counts_of_few_cases_are_no_numbers(record: Record) -> None:
    """The sign for few, <5, may stand wherever a count may, and other texts may not."""
    found = condensed(changed(record, ("test_sets", PRIVATE, "labels", "L6", "n"), "<5"))
    assert found is not None
    assert found["test_sets"][PRIVATE]["labels"]["L6"]["n"] == "<5"
    with pytest.raises(SubmissionError, match="E_RECORD"):
        condensed(changed(record, ("test_sets", PRIVATE, "labels", "L6", "n"), "<4"))


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("test_sets", PUBLIC, "mean_of_vertebrae", "dsc"), "0.9", "a number"),
        (("test_sets", PUBLIC, "mean_of_vertebrae", "dsc"), True, "a number"),
        (("test_sets", PUBLIC, "mean_of_vertebrae", "dsc"), float("nan"), "a number below 1,000,000,000"),
        (("test_sets", PUBLIC, "mean_of_vertebrae", "dsc"), float("inf"), "a number below 1,000,000,000"),
        (("test_sets", PUBLIC, "mean_of_vertebrae", "dsc"), 10**400, "a number below 1,000,000,000"),
        (("test_sets", PUBLIC, "counts", "missed"), -(10**400), "a number below 1,000,000,000"),
        (("test_sets", PUBLIC, "n_cases"), [], "a number"),
        (("test_sets", PUBLIC, "labels"), [], "a mapping"),
        (("test_sets", PUBLIC, "labels", "L1"), 0.9, "a mapping"),
        (("test_sets", PUBLIC, "sources", "COLONOG"), "x", "a mapping"),
        (("test_sets", PUBLIC, "complete"), "yes", "true or false"),
        (("test_sets", PUBLIC, "identification", "label_shifts"), {"0": {}}, "a number"),
        (("test_sets", PUBLIC, "variants"), [], "a mapping"),
        (("test_sets", PUBLIC, "variants", "cut", "labels"), {"L1": 0.9}, "a mapping"),
        (("test_sets", PUBLIC, "without_reference"), {"C1": "a case"}, "a list"),
        (("test_sets", PUBLIC, "without_reference"), {"C1": [1]}, "a list of texts"),
        (("test_sets", PUBLIC, "shared_labels"), [1], "a list of mappings"),
        (("test_sets", PUBLIC, "shared_labels"), [{"sources": ["one"]}], "2 texts"),
        (("test_sets", PUBLIC, "shared_labels"), [{"sources": ["a", "b"], "dsc": [1.0]}], "2 numbers"),
        (("submission", "same_predictions_as"), "alpha", "a list"),
        (("submission",), [], "a mapping"),
        (("provenance",), "today", "a mapping"),
        (("provenance", "created"), 2026, "a text"),
        (("provenance", "splits"), {PUBLIC: 1}, "a text"),
        (("provenance", "digests"), {PUBLIC: "0"}, "a mapping"),
    ],
)
def test_anything_of_another_shape_is_an_error(
    record: Record, place: tuple[str, ...], value: object, expected: str
) -> None:
    """The error names the file, the place and what was expected there; what was found is cut short."""
    with pytest.raises(SubmissionError) as caught:
        condensed(changed(record, place, value))
    assert caught.value.code == "E_RECORD"
    assert caught.value.path == "beta/results.json"
    assert caught.value.expected.startswith(f"{expected} in {place[0]}")
    assert len(caught.value.found) <= 60


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_taken_or_refused(record: Record, data: st.DataObject) -> None:
    """Any JSON in any place gives a document for JSON or a SubmissionError; the version was looked at before."""
    place: list[str] = []
    part: Any = record.results
    while isinstance(part, dict) and part and (not place or data.draw(st.booleans() | st.just(value=True))):
        place.append(data.draw(st.sampled_from(sorted(part.keys() - {"schema_version"}))))
        part = part[place[-1]]
    with contextlib.suppress(SubmissionError):
        json.dumps(condensed(changed(record, tuple(place), data.draw(JSON))), allow_nan=False)


class TestScores:
    """The scores of the vertebrae in reference or prediction, out of the case table."""

    def test_only_of_test_sets_whose_cases_are_public(self, record: Record, folder: Path) -> None:
        """Rows about private cases, which do not belong there, are not looked at."""
        assert list(paired_scores(record)) == [PUBLIC, VERSE]

        def moved(table: pd.DataFrame) -> pd.DataFrame:
            return table.assign(test_set=table["test_set"].replace(VERSE, PRIVATE))

        change_cases(folder / "submissions" / "beta", moved)
        assert list(paired_scores(read_record(folder / "submissions" / "beta"))) == [PUBLIC]

    def test_they_are_those_of_the_table(self, record: Record) -> None:
        """As many cases as the record says, and the mean that follows from them."""
        found = paired_scores(record)[PUBLIC]
        assert record.results is not None
        assert found.n_cases == record.results["test_sets"][PUBLIC]["n_cases"] == 12
        mean = found.measures["dsc"][found.vertebrae.label == 20].mean()
        assert mean == pytest.approx(record.results["test_sets"][PUBLIC]["labels"]["L1"]["dsc"], abs=1e-12)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("dsc", 1.01),
            ("dsc", -0.01),
            ("dsc", np.inf),
            ("dsc", None),
            ("hd95_mm", -1.0),
            ("nsd_1mm", 2.0),
            ("loss_boundary", 1e300),
            ("label", 26),
            ("label", None),
            ("case_id", None),
        ],
    )
    def test_no_score_that_there_cannot_be(self, folder: Path, column: str, value: object) -> None:
        """A cell of the table that no prediction can have makes the record a broken one, and no leader."""

        def change(table: pd.DataFrame) -> pd.DataFrame:
            table.loc[table.index[(table["status"] == "matched") & (table["row"] == "vertebra")][0], column] = value
            return table

        change_cases(folder / "submissions" / "beta", change)
        with pytest.raises(SubmissionError) as caught:
            paired_scores(read_record(folder / "submissions" / "beta"))
        assert caught.value.code == "E_RECORD"
        assert str(caught.value.path).startswith("beta")

    def test_the_largest_group_is_of_one_mind(self) -> None:
        """Those about the same vertebrae as most are kept, in their order; a larger minority does not form one."""

        def single(slug: str, *levels: str) -> Any:
            return pair({slug: case_table(spines(np.full((2, len(levels)), 0.9), levels, "COLONOG"), PUBLIC)})

        one, odd, two, odder = (
            single("one", "L1"),
            single("odd", "L2"),
            single("two", "L1"),
            single("odder", "L1", "L2"),
        )
        assert [part.slugs for part in largest_group([odd, one, odder, two])] == [("one",), ("two",)]
        assert [part.slugs for part in largest_group([odd, one])] == [("odd",)]
