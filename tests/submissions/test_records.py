"""Records: the paper's, and what is read of a folder of submissions."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from declarations import fields, text_of

from ctspine_bench.errors import SubmissionError
from ctspine_bench.files import replacing_together
from ctspine_bench.published import VERSE_REANNOTATED_DSC, published_table
from ctspine_bench.submissions.records import Record, find_records, read_record
from ctspine_bench.submissions.writing import write_declaration
from ctspine_bench.tables import COLUMNS, SCHEMA_VERSION, write_table
from ctspine_bench.testsets import OFFICIAL, official

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "submissions" / "nnunet-paper"

RESULTS: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "kind": "scored", "test_sets": {"public": {"n_cases": 1}}}

Broken = dict[str, Any] | bytes | None


@pytest.fixture
def record_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make the folder of a record."""

    def make(
        results: Broken = None, cases: pd.DataFrame | bytes | None = None, slug: str = "spine-net", **changes: object
    ) -> Path:
        folder = tmp_path / "submissions" / slug
        folder.mkdir(parents=True)
        (folder / "submission.yaml").write_bytes(text_of(fields(**changes)))
        if results is not None:
            content = results if isinstance(results, bytes) else json.dumps(results).encode()
            (folder / "results.json").write_bytes(content)
        if isinstance(cases, pd.DataFrame):
            write_table(cases, folder / "cases.parquet")
        elif cases is not None:
            (folder / "cases.parquet").write_bytes(cases)
        return folder

    return make


def case_rows() -> pd.DataFrame:
    return pd.DataFrame([{"test_set": "public", "case_id": "liver_1", "row": "case"}], columns=list(COLUMNS)).astype(
        COLUMNS
    )


class TestPaper:
    """The record of the paper's Table 2."""

    def test_every_value_is_that_of_the_table(self) -> None:
        """The 25 labels and both means of the three test sets are those of the manifest, as printed."""
        results = read_record(PAPER).results
        assert results is not None
        assert list(results["test_sets"]) == list(OFFICIAL)
        with (ROOT / "ctspine_bench" / "manifests" / "paper_table2.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        n_values = 0
        for name, test_set in results["test_sets"].items():
            cells = test_set["labels"] | {mean: test_set[mean] for mean in ("mean_of_vertebrae", "mean_of_spine")}
            assert list(cells) == [row["row"] for row in rows]
            for row in rows:
                expected = {"dsc": float(row[f"{name}_dsc"]), "hd95_mm": float(row[f"{name}_hd95_mm"])}
                assert cells[row["row"]] == expected, (name, row["row"])
                n_values += 2
            table = published_table(name)
            assert table is not None
            assert cells["mean_of_spine"]["dsc"] == table.mean_of_spine.dsc
            assert test_set["title"] == official(name).title
        assert n_values == 3 * 27 * 2

    def test_it_says_what_became_of_verse(self) -> None:
        """The note on VerSe names the later value and why it is another."""
        results = read_record(PAPER).results or {}
        assert VERSE_REANNOTATED_DSC == 0.766
        assert "0.766 instead of 0.619" in results["test_sets"]["verse"]["note"]

    def test_it_is_declared_as_published(self) -> None:
        """Its declaration names the source, has no archives, and is written as the code writes it."""
        record = read_record(PAPER)
        assert (record.declaration.kind, record.declaration.test_sets, record.cases) == ("published", {}, None)
        assert "Table 2" in (record.declaration.source or "")
        assert (PAPER / "submission.yaml").read_text(encoding="utf-8") == write_declaration(record.declaration)

    def test_all_records_of_the_project_can_be_read(self) -> None:
        """What is in submissions/ is valid."""
        records = find_records(ROOT / "submissions")
        assert [record for record in records if isinstance(record, SubmissionError)] == []
        assert "nnunet-paper" in [record.slug for record in records if isinstance(record, Record)]


def test_a_submission_without_results(record_folder: Callable[..., Path]) -> None:
    """A submission that is not scored yet is a record without results."""
    folder = record_folder()
    record = read_record(folder)
    assert (record.slug, record.folder, record.results, record.cases) == ("spine-net", folder, None, None)
    assert record.declaration_sha256 == hashlib.sha256((folder / "submission.yaml").read_bytes()).hexdigest()


def test_a_scored_submission(record_folder: Callable[..., Path]) -> None:
    """Results and case table are read; the digest of the table is that of the results."""
    folder = record_folder(cases=case_rows())
    digest = hashlib.sha256((folder / "cases.parquet").read_bytes()).hexdigest()
    results = RESULTS | {"cases_sha256": digest, "submission": {"slug": "spine-net"}}
    (folder / "results.json").write_text(json.dumps(results))
    record = read_record(folder)
    assert record.results == results
    assert record.cases is not None
    assert record.cases["case_id"].tolist() == ["liver_1"]


def test_files_that_are_being_replaced_count_when_complete(record_folder: Callable[..., Path]) -> None:
    """After a kill in the midst of replacing, the new files are read from where they wait."""
    folder = record_folder(RESULTS)
    (folder / ".complete").mkdir()
    (folder / ".complete" / "results.json").write_text(json.dumps(RESULTS | {"new": True}))
    results = read_record(folder).results
    assert results is not None
    assert results["new"] is True
    with replacing_together(folder) as temporary:
        (temporary / "results.json").write_text(json.dumps(RESULTS | {"new": 2}))
    results = read_record(folder).results
    assert results is not None
    assert results["new"] == 2


@pytest.mark.parametrize(
    ("results", "cases", "code", "found"),
    [
        (RESULTS | {"schema_version": SCHEMA_VERSION + 1}, None, "E_VERSION", f"version {SCHEMA_VERSION + 1}"),
        (RESULTS | {"kind": "published"}, None, "E_RECORD", "'published'"),
        (RESULTS | {"test_sets": []}, None, "E_RECORD", "[]"),
        (RESULTS | {"submission": {"slug": "other"}}, None, "E_RECORD", "those of 'other'"),
        (RESULTS | {"cases_sha256": "0" * 64}, None, "E_RECORD", "no such file"),
        (RESULTS | {"cases_sha256": "0" * 64}, b"x", "E_RECORD", "one with another digest"),
        (RESULTS, b"no parquet", "E_RECORD", None),
        (None, b"x", "E_RECORD", "one"),
        (b"", None, "E_RECORD", None),
    ],
)
def test_results_that_do_not_fit(
    record_folder: Callable[..., Path], results: Broken, cases: bytes | None, code: str, found: str | None
) -> None:
    """A record is consistent or an error; the error names folder and file, not where they are on this machine."""
    folder = record_folder(results, cases)
    with pytest.raises(SubmissionError) as caught:
        read_record(folder)
    assert caught.value.code == code
    assert found is None or caught.value.found == found
    assert str(caught.value.path).startswith("spine-net/")
    assert str(folder.parent) not in str(caught.value)


def test_published_results_are_there(record_folder: Callable[..., Path]) -> None:
    """A published record without its numbers is broken."""
    folder = record_folder(kind="published", source="A paper", test_sets=..., owners=[])
    with pytest.raises(SubmissionError, match=r"^E_RECORD: spine-net/results\.json: expected the published numbers"):
        read_record(folder)


def test_records_are_found_and_a_broken_one_is_its_error(record_folder: Callable[..., Path]) -> None:
    """Every folder is a record, sorted by name; files beside them and hidden folders are not; nothing is raised."""
    root = record_folder(RESULTS, slug="good").parent
    record_folder(slug="also-good")
    record_folder(b"{", slug="broken")
    record_folder(slug="Bad_Name")
    (root / "README.md").write_text("x")
    (root / ".hidden").mkdir()
    found = [entry.slug if isinstance(entry, Record) else (entry.code, entry.path) for entry in find_records(root)]
    assert found == [("E_SLUG", "submissions/Bad_Name"), "also-good", ("E_RECORD", "broken/results.json"), "good"]
    assert find_records(root / "nowhere") == ()
