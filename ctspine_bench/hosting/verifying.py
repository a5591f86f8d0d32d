"""Whether a record says what its cases say, and whether it was made with today's scorer, split and references."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ctspine_bench.aggregate import POLICIES, summarise
from ctspine_bench.anatomy import VERTEBRAE
from ctspine_bench.archives.digests import check_file
from ctspine_bench.errors import CODES, InputError, SubmissionError
from ctspine_bench.hosting.disclosure.results import PUBLIC_KEYS, public_aggregates
from ctspine_bench.hosting.disclosure.suppression import count
from ctspine_bench.hosting.references import digest_of_references, plan_references
from ctspine_bench.provenance import ENGINE_VERSION, digest_of_split
from ctspine_bench.results import CASES, RESULTS, aggregates
from ctspine_bench.submissions.reading import DECLARATION
from ctspine_bench.submissions.records import Record, find_records, read_record
from ctspine_bench.tables import SCHEMA_VERSION
from ctspine_bench.testsets import OFFICIAL, PHANTOM, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.testsets import TestSet

State = Literal["ok", "outdated", "wrong", "not checked"]
"""`outdated`: right when it was made, but something has changed since; `wrong`: it never was."""

_BROKEN: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of a document or table that is not of the form that the scorer writes."""

_RESCORE: Final = "Score the submission again; the same predictions cost nothing."
_SUSPICIOUS: Final = "Somebody or something else than the scorer wrote this: look at its history, then score again."


@dataclass(frozen=True)
class Finding:
    """What one check of a record came to.

    Attributes:
        what: What was looked at.
        state: How it is.
        why: What was found; empty when it is ok.
        advice: What to do; empty when there is nothing to do.
    """

    what: str
    state: State
    why: str = ""
    advice: str = ""


def verify(
    folder: Path,
    *,
    references: Path | None = None,
    archives: Path | None = None,
    store: PrivateStore | None = None,
) -> dict[str, tuple[Finding, ...]]:
    """Check one record, or all in a folder of submissions.

    Args:
        folder: Folder of a submission, or of submissions.
        references: The references, if they are here.
        archives: Folder with the archives of predictions under the names that their addresses have, if they are here.
        store: The private store, if it is here.

    Returns:
        Slug → findings. They hold no number of a private case.
    """
    if (folder / DECLARATION).exists():
        try:
            records: tuple[Record | SubmissionError, ...] = (read_record(folder),)
        except SubmissionError as error:
            records = (error,)
    else:
        records = find_records(folder)
    found: dict[str, tuple[Finding, ...]] = {}
    for number, record in enumerate(records):
        if isinstance(record, SubmissionError):
            name = (record.path or f"record {number + 1}").removeprefix("submissions/").partition("/")[0]
            found[name] = (Finding("record", "wrong", f"{record.code}: {record.found}", record.advice),)
        elif record.outdated:
            found[record.slug] = (_outdated(record),)
        elif record.declaration.kind == "published":
            found[record.slug] = (_published(record.results or {}),)
        else:
            found[record.slug] = tuple(_scored(record, references, archives, store))
    return found


def _outdated(record: Record) -> Finding:
    """Say that a record follows the rules of an earlier version: nothing of it can be compared with today's."""
    version = (record.results or {})["schema_version"]
    why = f"it has schema_version {version}, of an earlier version of the rules; today's is {SCHEMA_VERSION}"
    by_hand = record.declaration.kind == "published"
    return Finding("record", "outdated", why, f"Bring {RESULTS} to today's form." if by_hand else _RESCORE)


def _published(results: Mapping[str, Any]) -> Finding:
    """Check the form of a table that was entered by hand. It has no cases, and no scorer that could change."""
    try:
        test_sets = results["test_sets"]
        known = set(test_sets) <= {*OFFICIAL, *PHANTOM} and bool(test_sets)
        cells = [
            (means["dsc"], means["hd95_mm"])
            for test_set in test_sets.values()
            for means in (*test_set["labels"].values(), test_set["mean_of_vertebrae"], test_set["mean_of_spine"])
        ]
        labels = all(set(test_set["labels"]) == set(VERTEBRAE) for test_set in test_sets.values())
        sound = all(_is_number(dsc, 1) and _is_number(hd95_mm, None) for dsc, hd95_mm in cells)
    except _BROKEN:
        known = labels = sound = False
    if known and labels and sound:
        return Finding("published table", "ok")
    why = "expected DSC in 0–1 and HD95 in mm for C1–L6 and both means of the paper's test sets, found something else"
    return Finding("published table", "wrong", why, f"Correct {RESULTS}.")


def _is_number(value: Any, top: float | None) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (is_number and value >= 0 and (top is None or value <= top))


def _scored(
    record: Record, references: Path | None, archives: Path | None, store: PrivateStore | None
) -> Iterator[Finding]:
    if record.results is None or record.cases is None:
        yield Finding("results", "not checked", "not scored yet", "Score the submission.")
        return
    try:
        yield _declaration(record, record.results)
        yield _case_table(record.results, record.cases)
        yield _scorer(record.results)
        for name, results in record.results["test_sets"].items():
            test_set = named(name)
            rows = _rows(record, test_set, store)
            yield _split(test_set, record.results, rows)
            yield _aggregates(test_set, record.results, results, rows)
            yield _references(test_set, record.results, references)
        yield from _archives(record, archives)
    except _BROKEN as error:
        yield Finding(RESULTS, "wrong", f"not of the form that the scorer writes ({type(error).__name__})", _SUSPICIOUS)


def _declaration(record: Record, results: Mapping[str, Any]) -> Finding:
    submission, declared = results["submission"], record.declaration.test_sets
    if submission["declaration_sha256"] != record.declaration_sha256:
        return Finding("declaration", "outdated", f"{DECLARATION} has changed since the scoring", _RESCORE)
    if submission["archives"] != {name: archive.sha256 for name, archive in declared.items()}:
        return Finding("declaration", "wrong", "other archives or test sets were scored than declared", _SUSPICIOUS)
    # Baselines and simulations declare no archives, and so no test sets.
    if record.declaration.kind == "scored" and results["test_sets"].keys() != declared.keys():
        return Finding("declaration", "wrong", "results of other test sets than declared", _SUSPICIOUS)
    return Finding("declaration", "ok")


def _case_table(results: Mapping[str, Any], cases: pd.DataFrame) -> Finding:
    # (reading the record has compared the digest, if there is one)
    if "cases_sha256" not in results:
        return Finding("case table", "wrong", f"{RESULTS} does not say which {CASES} it is about", _SUSPICIOUS)
    flags = {name: test_set["private"] for name, test_set in results["test_sets"].items()}
    if flags != {name: named(name).private for name in flags}:
        return Finding("case table", "wrong", "a test set says the opposite of whether it is private", _SUSPICIOUS)
    found, expected = set(cases["test_set"]), {name for name, private in flags.items() if not private}
    if secret := {name for name in found - expected if name in flags}:
        return Finding("case table", "wrong", f"cases of private test sets: {', '.join(sorted(secret))}", _SUSPICIOUS)
    if found != expected:
        return Finding("case table", "wrong", "the cases of other test sets than the results", _SUSPICIOUS)
    return Finding("case table", "ok")


def _scorer(results: Mapping[str, Any]) -> Finding:
    if not _is_current(results):
        version = results["provenance"]["engine_version"]
        why = f"its numbers are of engine version {version}, today's is {ENGINE_VERSION}"
        return Finding("scorer", "outdated", why, _RESCORE)
    if results["policies"] != POLICIES:
        return Finding("scorer", "wrong", "other policies than those of this scorer", _SUSPICIOUS)
    return Finding("scorer", "ok")


def _is_current(results: Mapping[str, Any]) -> bool:
    return bool(results["provenance"]["engine_version"] == ENGINE_VERSION)


def _rows(record: Record, test_set: TestSet, store: PrivateStore | None) -> pd.DataFrame | None:
    """Return the case table of a test set; `None` if it is private and not here."""
    table = record.cases
    if test_set.private:
        scores = store.scores_of(record.slug, record.declaration_sha256) if store else None
        table = scores.private if scores else None
    return None if table is None else table[table["test_set"] == test_set.name]


def _split(test_set: TestSet, results: Mapping[str, Any], rows: pd.DataFrame | None) -> Finding:
    what, digest = f"{test_set.name}: split", results["provenance"]["splits"][test_set.name]
    if rows is not None and digest_of_split(set(rows["case_id"])) != digest:
        return Finding(what, "wrong", "the case table has other cases than were scored", _SUSPICIOUS)
    if test_set.cases is not None:
        if digest_of_split(test_set.cases) == digest:
            return Finding(what, "ok")
        return Finding(what, "outdated", "the list of cases has changed since the scoring", _RESCORE)
    return Finding(what, "ok") if rows is not None else Finding(what, "not checked", "no list of cases is public")


def _aggregates(
    test_set: TestSet, results: Mapping[str, Any], stated: Mapping[str, Any], rows: pd.DataFrame | None
) -> Finding:
    what = f"{test_set.name}: aggregates"
    if test_set.private and (surplus := stated.keys() - PUBLIC_KEYS):
        return Finding(what, "wrong", f"more than may be published: {', '.join(sorted(surplus))}", _SUSPICIOUS)
    if rows is None:
        return Finding(what, "not checked", "the private store does not have its cases", "Give --private-store.")
    summary = summarise(rows)
    means = public_aggregates(summary, rows) if test_set.private else aggregates(summary)
    expected = json.loads(json.dumps(means | _facts(test_set, rows)))
    different = [key for key in expected if expected[key] != stated.get(key)]
    failures = rows[(rows["row"] == "case") & rows["failure"].notna()].set_index("case_id")["failure"].to_dict()
    told = {failure["case_id"]: failure["code"] for failure in stated["failures"]}
    if not told.items() <= failures.items() or len(failures) != len(told) + stated.get("n_other_failures", 0):
        different.append("failures")
    if not different:
        return Finding(what, "ok")
    why = f"its cases give something else: {', '.join(different)}"
    # Another scorer may have aggregated otherwise.
    return (
        Finding(what, "wrong", why, _SUSPICIOUS) if _is_current(results) else Finding(what, "outdated", why, _RESCORE)
    )


def _facts(test_set: TestSet, rows: pd.DataFrame) -> dict[str, Any]:
    """What else results.json says that follows from the test set and the case table."""
    n_cases = int(rows["case_id"].nunique())
    all_scored = bool(rows.loc[rows["row"] == "case", "failure"].isna().all())
    return {
        "title": test_set.title,
        "note": test_set.note,
        "expected_cases": test_set.expected_count,
        "n_cases": count(n_cases, n_cases) if test_set.private else n_cases,
        "complete": all_scored and test_set.expected_count in {None, n_cases},
    }


def _references(test_set: TestSet, results: Mapping[str, Any], references: Path | None) -> Finding:
    what = f"{test_set.name}: references"
    if references is None:
        return Finding(what, "not checked", "they are not here", "Give --references.")
    try:
        digest = digest_of_references(plan_references(test_set, {}, references))
    except InputError as error:
        return Finding(what, "not checked", f"{error.code}: {CODES[error.code]}")
    except OSError:
        return Finding(what, "not checked", "they cannot be read")
    if digest != results["provenance"]["digests"][test_set.name]["references"]:
        return Finding(what, "outdated", "they have changed since the scoring", _RESCORE)
    return Finding(what, "ok")


def _archives(record: Record, archives: Path | None) -> Iterator[Finding]:
    for name, archive in record.declaration.test_sets.items():
        what = f"{name}: archive"
        path = archives / archive.file_name if archives else None
        if path is None or not path.exists():
            yield Finding(what, "not checked", "it is not here", "" if archives else "Give --archives.")
            continue
        try:
            check_file(path, archive.file_name, archive.sha256, archive.size)
        except InputError as error:
            yield Finding(what, "wrong", f"{error.code}: {error.found}", error.advice)
        else:
            yield Finding(what, "ok")
