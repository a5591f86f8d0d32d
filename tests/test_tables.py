"""Results survive the journal and the Parquet file as they are."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from case_results import case, mask, missed, spurious
from label_volumes import random_pair

from ctspine_bench import score_arrays
from ctspine_bench.aggregate import summarise
from ctspine_bench.records import CaseResult, Failure, Identification, VertebraScore
from ctspine_bench.tables import COLUMNS, Journal, case_table, read_table, write_json, write_table

if TYPE_CHECKING:
    from pathlib import Path


def results() -> list[CaseResult]:
    """Scores of random volumes, an empty case, a refused prediction and an unreadable reference."""
    rng = np.random.default_rng(6)
    scored = [
        CaseResult(
            f"case-{i}", "MSD-T10", score_arrays(*random_pair(rng), (0.7, 0.8, 1.3), pooled=i == 0), None,
            ("reference: reoriented – ±",), "a" * 64, "b" * 64,
        )
        for i in range(4)
    ]  # fmt: skip
    refused = Failure("E_TRUNCATED", "prediction", 'E_TRUNCATED: "x"\nsecond line')
    broken = Failure("E_CORRUPT", "reference", "E_CORRUPT: …")
    return [
        *scored,
        case("empty"),
        case("refused", missed("T1", cut=True), missed("spine"), failure=refused),
        CaseResult("broken", None, None, broken, (), None, None),
    ]


def test_journal_round_trip(tmp_path: Path) -> None:
    """What is appended is read back equal in every field, floats to the last bit."""
    journal = Journal(tmp_path / "journal.jsonl", "settings", "inputs")
    for result in results():
        journal.append(result.case_id, result)
    assert journal.read() == {result.case_id: result for result in results()}


def test_journal_of_other_settings_does_not_count(tmp_path: Path) -> None:
    """Results made with other settings or another engine are not taken over."""
    Journal(tmp_path / "journal.jsonl", "old", "inputs").append("a", case("a", mask("T1", 0.5, 1.0)))
    assert Journal(tmp_path / "journal.jsonl", "new", "inputs").read() == {}


def test_torn_line_does_not_count(tmp_path: Path) -> None:
    """A line cut short by a killed process is passed over, and the next one is whole."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, "s", "inputs")
    first, second = case("a", mask("T1", 0.5, 1.0)), case("b", missed("T1"))
    journal.append("a", replace(first, notes=("512×512, 30° – ü",)))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        journal.append("b", second)
        assert journal.read() == {"b": second}


def test_later_line_wins(tmp_path: Path) -> None:
    """A case scored again replaces its earlier result."""
    journal = Journal(tmp_path / "journal.jsonl", "s", "inputs")
    old = case("a", missed("T1"))
    journal.append("a", old)
    journal.append("a", replace(old, notes=("again",)))
    assert journal.read()["a"].notes == ("again",)


def test_no_journal_yet(tmp_path: Path) -> None:
    """A file that is not there holds no results."""
    assert Journal(tmp_path / "journal.jsonl", "s", "inputs").read() == {}


def test_parquet_round_trip(tmp_path: Path) -> None:
    """The case table is read back equal: values, empty cells, column order and types."""
    table = case_table(results(), "public")
    write_table(table, tmp_path / "cases.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "cases.parquet"), table)
    assert [path.name for path in tmp_path.iterdir()] == ["cases.parquet"]


def test_aggregates_survive_the_file(tmp_path: Path) -> None:
    """All aggregates follow from the stored table alone, to the last bit."""
    table = case_table(results()[:-1], "public")
    write_table(table, tmp_path / "cases.parquet")
    assert summarise(read_table(tmp_path / "cases.parquet")) == summarise(table)


def test_table_holds_every_number_of_every_score() -> None:
    """Each vertebra, spine and case row carries exactly the fields of its record; what is `None` is an empty cell."""
    table = case_table(results(), "public")
    for result in results()[:4]:
        rows = table[table["case_id"] == result.case_id]
        masks = [*result.score.vertebrae, *([result.score.spine] if result.score.spine else [])]
        stored = rows[rows["row"] != "case"].astype(object)
        for expected, (_, row) in zip(masks, stored.iterrows(), strict=True):
            record = asdict(expected)
            assert row["vertebra"] == record.pop("name")
            assert {name: None if pd.isna(row[name]) else row[name] for name in record} == record
        names = rows[rows["row"] == "case"].astype(object).iloc[0]
        identification = asdict(result.score.identification)
        assert {name: None if pd.isna(names[name]) else names[name] for name in identification} == identification


def test_columns_cover_the_records() -> None:
    """A new field of a score has its column without further ado."""
    of_records = {f.name for record in (VertebraScore, Identification) for f in fields(record)} - {"name"}
    assert of_records <= COLUMNS.keys()


def test_rows_of_each_case() -> None:
    """One row for each vertebra, one for a spine, one for the case; a broken reference has the last alone."""
    cases = [
        case("a", mask("T1", 0.5, 1.0), spurious("T2"), mask("spine", 0.5, 1.0)),
        case("empty"),
        CaseResult("broken", None, None, Failure("E_CORRUPT", "reference", "…"), (), None, None),
    ]
    table = case_table(cases, "custom")
    assert table.groupby("case_id")["row"].apply(list).to_dict() == {
        "a": ["vertebra", "vertebra", "spine", "case"],
        "broken": ["case"],
        "empty": ["case"],
    }
    assert table.loc[table["case_id"] == "broken", "failure"].tolist() == ["E_CORRUPT"]


def test_no_results_is_an_empty_table(tmp_path: Path) -> None:
    """A table without rows has all columns and survives the file."""
    write_table(case_table([], "custom"), tmp_path / "cases.parquet")
    assert list(read_table(tmp_path / "cases.parquet").columns) == list(COLUMNS)


def test_json_refuses_nan(tmp_path: Path) -> None:
    """An undefined number is null; NaN is no JSON, and nothing is left behind under the final name."""
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json({"dsc": float("nan")}, tmp_path / "results.json")
    assert not (tmp_path / "results.json").exists()
