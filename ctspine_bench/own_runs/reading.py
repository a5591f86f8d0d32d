"""A folder with results.json and cases.parquet → a run, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.board.parts import Part, broken
from ctspine_bench.errors import FileError, InputError, SubmissionError
from ctspine_bench.files import current
from ctspine_bench.provenance import ENGINE_VERSION, digest_of_split
from ctspine_bench.results import CASES, JOURNAL, RESULTS
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.tables import SCHEMA_VERSION, read_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

SCORE_AGAIN: Final = "Score the predictions again with `ctspine-bench score … --output`."


@dataclass(frozen=True, eq=False)
class Run:
    """Predictions that were scored on one test set.

    Attributes:
        folder: Where the results or the predictions are.
        title: What people call the test set.
        split: Digest over the case ids.
        references: Digest over the files of the references.
        predictions: Digest over the files of the predictions.
        settings: How files were read and compared (`Settings.describe`).
        n_failed: How many cases could not be scored from their files: their vertebrae count as missed.
        note: What is odd about the whole test set; empty if nothing is.
        table: The case table (`tables.COLUMNS`) of the test set.
    """

    folder: Path
    title: str
    split: str
    references: str
    predictions: str
    settings: dict[str, Any]
    n_failed: int
    note: str
    table: pd.DataFrame

    @property
    def case_ids(self) -> frozenset[str]:
        """The cases."""
        return frozenset(self.table["case_id"].astype(str))


def is_results(folder: Path) -> bool:
    """Return whether a folder holds results of its own, and is no folder of submissions."""
    return (folder / RESULTS).is_file() and not any(folder.glob("*/submission.yaml"))


def read_run(folder: Path, test_set: str | None = None) -> Run:
    """Return the run whose results are in a folder.

    Args:
        folder: With results.json and cases.parquet, as `ctspine-bench score --output` writes them.
        test_set: Which of its test sets; by default the only one.

    Raises:
        FileError: E_NOT_FOUND, there are no results, or not yet.
        SubmissionError: E_COMPARE, they are of an earlier version, of other test sets, or without aggregates or cases;
            E_VERSION, they are of a newer version; E_RECORD, they are broken.
    """
    for name in (RESULTS, CASES):
        if not (folder / name).is_file():
            raise _nothing_there(folder, name)
    document = _document(folder)
    _check_version(folder, document)
    try:
        table = read_table(current(folder, CASES))
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise broken(str(folder / CASES), "a case table", shown(error, 100)) from None
    return run_of(folder, document, table, test_set)


def run_of(folder: Path, document: dict[str, Any], table: pd.DataFrame, test_set: str | None = None) -> Run:
    """Return a run from the content of results.json and its case table; for `folder` and errors see `read_run`."""
    path = str(folder / RESULTS)
    whole = Part(document, path)
    name = _chosen(folder, list(whole.part("test_sets").content), test_set)
    results, provenance = whole.part("test_sets").part(name), whole.part("provenance")
    if "mean_of_vertebrae" not in results.content:
        found = "no aggregates, as not every reference could be read"
        raise unlike(folder, f"scores of {name}", found, f"See what is wrong with the references. {SCORE_AGAIN}")
    rows = table[table["test_set"] == name].reset_index(drop=True)
    if rows.empty:
        found = f"none in {CASES}, as of a private test set"
        raise unlike(folder, f"the cases of {name}", found, "Compare results on a test set whose cases are there.")
    split = provenance.part("splits").text(name)
    if digest_of_split(rows["case_id"].astype(str).unique()) != split:
        raise broken(str(folder / CASES), f"the cases of {RESULTS}", "others")
    settings = provenance.part("settings")
    digests = provenance.part("digests").part(name)
    failures, n_cases, expected = (
        results.items("failures"),
        results.number("n_cases"),
        results.number("expected_cases"),
    )
    return Run(
        folder=folder,
        title=results.text("title") or name,
        split=split,
        references=digests.text("references"),
        predictions=digests.text("predictions"),
        settings=dict((settings if "resample" in settings.content else settings.part(name)).content),
        n_failed=len(failures),
        note="" if expected in {None, n_cases} else f"{n_cases:.0f} of the {expected:.0f} cases of the test set",
        table=rows,
    )


def unlike(folder: Path, expected: str, found: str, advice: str) -> SubmissionError:
    """Return the error of results that cannot be compared with others."""
    return SubmissionError("E_COMPARE", str(folder), expected=expected, found=found, advice=advice)


def _document(folder: Path) -> dict[str, Any]:
    path = current(folder, RESULTS)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise broken(str(path), "JSON", shown(error, 100)) from None
    if not isinstance(content, dict):
        raise broken(str(path), "a JSON object", shown(repr(content)))
    return content


def _check_version(folder: Path, document: dict[str, Any]) -> None:
    found = Part(document, str(folder / RESULTS))
    versions = found.number("schema_version"), found.part("provenance").number("engine_version")
    for what, version, today in zip(("schema", "rule"), versions, (SCHEMA_VERSION, ENGINE_VERSION), strict=True):
        if version is not None and version > today:
            raise SubmissionError(
                "E_VERSION",
                str(folder / RESULTS),
                expected=f"{what} {today}, which this version of ctspine-bench reads",
                found=f"{what} {version:g}",
                advice="Update ctspine-bench.",
            )
        if version != today:
            told = "no such number" if version is None else f"{what} {version:g}"
            found_text = f"{told}: scored by an earlier version of ctspine-bench"
            raise unlike(folder, f"results by {what} {today}", found_text, SCORE_AGAIN)


def _chosen(folder: Path, names: list[str], test_set: str | None) -> str:
    if test_set in names or (test_set is None and len(names) == 1):
        return test_set or names[0]
    told = ", ".join(shown(name) for name in names) or "none"
    if test_set:
        raise unlike(folder, f"results on the test set {test_set}", told, "Score the predictions on it first.")
    raise unlike(folder, "results on one test set", told, "Say which one with --test-set.")


def _nothing_there(folder: Path, name: str) -> InputError:
    advice = "Score predictions first with `ctspine-bench score … --output`; only `compare` scores, with --references."
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        advice = "Check the path."
    elif (folder / JOURNAL).is_file():
        found, advice = "a run that has not finished", "Go on with it: ctspine-bench score … --output … --resume."
    else:
        found = f"a folder without {name}"
    return FileError("E_NOT_FOUND", folder, expected=f"a folder with {RESULTS} and {CASES}", found=found, advice=advice)
