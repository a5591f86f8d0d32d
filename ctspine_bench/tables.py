"""Case results ⇄ one table, and tables ⇄ files on disk.

The table (`cases.parquet`) has one row for each vertebra, one for the spine and one for the identification metrics of
every case, told apart by the column `row`: "vertebra", "spine" or "case". Cells that do not apply to a row are empty.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.errors import UsageError
from ctspine_bench.files import replacing
from ctspine_bench.records import CaseResult, CaseScore, Failure, Identification, VertebraScore

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA_VERSION: Final = 2
"""Version of the layout of results.json and cases.parquet; raised when a reader of the old one would misread the
new."""

_DTYPES: Final = {"str": "string", "float": "Float64", "int": "Int64", "bool": "boolean", "Status": "string"}


def _dtype_of(annotation: str) -> str:
    return _DTYPES[annotation.removesuffix(" | None")]


COLUMNS: Final[dict[str, str]] = {
    "test_set": "string",
    "source": "string",
    "case_id": "string",
    "row": "string",
    "label": "Int64",
    "vertebra": "string",
    "failure": "string",
    **{
        field.name: _dtype_of(str(field.type)) for field in fields(VertebraScore) if field.name not in {"label", "name"}
    },
    **{field.name: _dtype_of(str(field.type)) for field in fields(Identification)},
    "slice_spacing_mm": "Float64",
    "diagonal_mm": "Float64",
    "transitional": "boolean",
}
"""Column → pandas dtype of the case table."""


def case_table(results: Iterable[CaseResult], test_set: str) -> pd.DataFrame:
    """Return the case table of some results; a case whose reference failed has a case row alone."""
    rows = [row for result in results for row in _rows(result, test_set)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _rows(result: CaseResult, test_set: str) -> Iterable[dict[str, Any]]:
    common = {
        "test_set": test_set,
        "source": result.source,
        "case_id": result.case_id,
        "failure": result.failure.code if result.failure else None,
    }
    score = result.score
    if score is None:
        yield {**common, "row": "case"}
        return
    for vertebra in score.vertebrae:
        yield {**common, "row": "vertebra", **_named(vertebra)}
    if score.spine:
        yield {**common, "row": "spine", **_named(score.spine)}
    yield {
        **common,
        "row": "case",
        **asdict(score.identification),
        "slice_spacing_mm": score.slice_spacing_mm,
        "diagonal_mm": score.diagonal_mm,
        "transitional": score.transitional,
    }


def _named(vertebra: VertebraScore) -> dict[str, Any]:
    row = asdict(vertebra)
    row["vertebra"] = row.pop("name")
    return row


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, atomically."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def read_table(path: Path) -> pd.DataFrame:
    """Read a case table written by `write_table`."""
    return pd.read_parquet(path).astype(COLUMNS)


def write_json(document: dict[str, Any], path: Path) -> None:
    """Write a JSON document for people and programs, atomically. NaN is refused."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


class Journal:
    """The cases of a run that are done, one JSON line each, so that an interrupted run can go on.

    A line holds what it was made with, as given by the caller: results of other settings or other files do not count. A
    torn line, as a killed process leaves it, does not count either.

    Attributes:
        path: The file.
        settings: What decides about the numbers, in any form.
        inputs: What the run is about, for people: the journal of another run is refused.
    """

    def __init__(self, path: Path, settings: str, inputs: str) -> None:
        self.path = path
        self.settings = settings
        self.inputs = inputs

    def read(self) -> dict[str, CaseResult]:
        """Return the results by the files they were made from; later lines win.

        Raises:
            UsageError: The journal is about other inputs.
        """
        if not self.path.exists():
            return {}
        results = {}
        for line in self.path.read_bytes().split(b"\n"):
            entry = _parse_line(line)
            if entry and entry["inputs"] != self.inputs:
                raise UsageError(
                    f"expected a run of {self.inputs} in {self.path.parent}, found one of {entry['inputs']}; "
                    "choose another folder"
                )
            if entry and entry["settings"] == self.settings:
                results[entry["files"]] = _case_result(entry["result"])
        return results

    def append(self, files: str, result: CaseResult) -> None:
        """Add one result and bring it to disk."""
        entry = {"inputs": self.inputs, "settings": self.settings, "files": files, "result": asdict(result)}
        with self.path.open("a", encoding="ascii") as file:
            # A leading newline sets the line apart from a torn one before it.
            file.write(f"\n{json.dumps(entry, allow_nan=False)}")
            file.flush()
            os.fsync(file.fileno())


def _parse_line(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    # The settings hold the digest of the source that made the result, so its layout is today's if they match.
    return entry if isinstance(entry, dict) and {"inputs", "settings", "files", "result"} <= entry.keys() else None


def _case_result(entry: dict[str, Any]) -> CaseResult:
    return CaseResult(
        **{
            **entry,
            "score": _case_score(entry["score"]) if entry["score"] else None,
            "failure": Failure(**entry["failure"]) if entry["failure"] else None,
            "notes": tuple(entry["notes"]),
        }
    )


def _case_score(entry: dict[str, Any]) -> CaseScore:
    return CaseScore(
        **{
            **entry,
            "vertebrae": tuple(VertebraScore(**vertebra) for vertebra in entry["vertebrae"]),
            "spine": VertebraScore(**entry["spine"]) if entry["spine"] else None,
            "identification": Identification(**entry["identification"]),
        }
    )
