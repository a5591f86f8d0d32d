"""The record of a submission: what was declared, and what the scorer has written beside it."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ctspine_bench.errors import SubmissionError
from ctspine_bench.files import current
from ctspine_bench.submissions.folder import CASES, RESULTS, check_slug
from ctspine_bench.submissions.plain_text import shown
from ctspine_bench.submissions.reading import DECLARATION, check_declaration, read_declared
from ctspine_bench.tables import SCHEMA_VERSION, read_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ctspine_bench.submissions.declaration import Declaration

__all__ = ["CASES", "RESULTS", "Record", "find_records", "read_record"]

_MAX_RESULTS_BYTES: Final = 32 * 2**20


@dataclass(frozen=True, eq=False)
class Record:
    """A submission with its results.

    Attributes:
        slug: The name of its folder.
        folder: Where it is.
        declaration: What was declared.
        declaration_sha256: Digest of `submission.yaml`.
        results: The content of `results.json`; `None` when it is not scored yet.
        cases: The case table (see `tables.COLUMNS`) of the test sets whose cases are public; `None` without one, and of
            an outdated record.
    """

    slug: str
    folder: Path
    declaration: Declaration
    declaration_sha256: str
    results: dict[str, Any] | None
    cases: pd.DataFrame | None

    @property
    def outdated(self) -> bool:
        """Whether its results have the layout of an earlier version: they were right once, and are scored anew."""
        return self.results is not None and self.results["schema_version"] < SCHEMA_VERSION


def read_record(folder: Path) -> Record:
    """Return the record in the folder of a submission.

    Raises:
        SubmissionError: `E_SLUG`, `E_NOT_FOUND`, `E_PATH`, `E_YAML`, `E_FIELD` for the declaration; `E_RECORD` for
            results that are broken, or that do not fit the declaration or the case table; `E_VERSION` when either is
            of a newer version.
    """
    slug = folder.name
    check_slug(slug)
    content = read_declared(folder)
    declaration, problems = check_declaration(content, f"{slug}/{DECLARATION}")
    if declaration is None:
        raise problems[0]
    results = _read_results(folder, slug)
    _check_results(results, declaration, slug)
    cases = _read_cases(folder, slug, results)
    return Record(slug, folder, declaration, hashlib.sha256(content).hexdigest(), results, cases)


def find_records(folder: Path) -> tuple[Record | SubmissionError, ...]:
    """Return the records in a folder of submissions, sorted by slug; in the place of a broken one is its error."""
    try:
        folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except FileNotFoundError:
        return ()
    return tuple(_record_or_error(entry) for entry in folders)


def _record_or_error(folder: Path) -> Record | SubmissionError:
    try:
        return read_record(folder)
    except SubmissionError as error:
        return error


def _read_results(folder: Path, slug: str) -> dict[str, Any] | None:
    content = _read_bytes(folder, RESULTS, slug)
    if content is None:
        return None
    if len(content) > _MAX_RESULTS_BYTES:
        raise _broken(slug, RESULTS, f"at most {_MAX_RESULTS_BYTES:,} bytes", "a larger file")
    try:
        results = json.loads(content, parse_constant=_not_a_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _broken(slug, RESULTS, "JSON with finite numbers", shown(error, 100)) from None
    if not isinstance(results, dict):
        raise _broken(slug, RESULTS, "a JSON object", shown(repr(results)))
    version = results.get("schema_version")
    if type(version) is not int or version < 1:
        raise _broken(slug, RESULTS, "a schema_version", shown(repr(version)))
    if version > SCHEMA_VERSION:
        raise SubmissionError(
            "E_VERSION",
            f"{slug}/{RESULTS}",
            expected=f"version {SCHEMA_VERSION} or older",
            found=f"version {version}",
            advice="Update ctspine-bench.",
        )
    return results


def _check_results(results: dict[str, Any] | None, declaration: Declaration, slug: str) -> None:
    if results is None:
        if declaration.kind == "published":
            raise _broken(slug, RESULTS, "the published numbers", "no such file")
        return
    if results.get("kind") != declaration.kind:
        raise _broken(slug, RESULTS, f"kind {declaration.kind}, as declared", shown(repr(results.get("kind"))))
    test_sets = results.get("test_sets")
    if not isinstance(test_sets, dict) or not all(isinstance(results_of, dict) for results_of in test_sets.values()):
        raise _broken(slug, RESULTS, "test_sets, a mapping of mappings", shown(repr(test_sets)))
    submission = results.get("submission", {})
    scored_slug = submission.get("slug", slug) if isinstance(submission, dict) else submission
    if scored_slug != slug:
        raise _broken(slug, RESULTS, f"the results of {slug}", f"those of {shown(repr(scored_slug))}")


def _read_cases(folder: Path, slug: str, results: dict[str, Any] | None) -> pd.DataFrame | None:
    content = _read_bytes(folder, CASES, slug)
    declared = (results or {}).get("cases_sha256")
    if content is None:
        if declared is not None:
            raise _broken(slug, CASES, f"the case table of {RESULTS}", "no such file")
        return None
    if results is None:
        raise _broken(slug, CASES, f"no case table without {RESULTS}", "one")
    if declared is not None and hashlib.sha256(content).hexdigest() != declared:
        raise _broken(slug, CASES, f"the case table of {RESULTS}", "one with another digest")
    if results["schema_version"] < SCHEMA_VERSION:
        return None
    try:
        return read_table(current(folder, CASES))
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise _broken(slug, CASES, "a case table", shown(error, 100)) from None


def _read_bytes(folder: Path, name: str, slug: str) -> bytes | None:
    path = current(folder, name)
    if path.is_symlink():
        raise _broken(slug, name, "a file", "a symbolic link")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _broken(slug, name, "a file that can be read", error.strerror or type(error).__name__) from None


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is not a finite number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_a_number(text)


def _broken(slug: str, name: str, expected: str, found: str) -> SubmissionError:
    advice = f"Score the submission again, or take {name} from the last good commit."
    return SubmissionError("E_RECORD", f"{slug}/{name}", expected=expected, found=found, advice=advice)
