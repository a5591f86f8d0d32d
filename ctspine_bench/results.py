"""`SubmissionScore` → `results.json` and `cases.parquet` in an output folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import POLICIES
from ctspine_bench.provenance import provenance_of
from ctspine_bench.tables import SCHEMA_VERSION, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ctspine_bench.cross_check import CrossCheck
    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.summary import Summary


RESULTS: Final = "results.json"
CASES: Final = "cases.parquet"
JOURNAL: Final = "journal.jsonl"


def write_results(
    scores: Iterable[SubmissionScore], folder: Path, command: str = "", cross_check: CrossCheck | None = None
) -> None:
    """Write `results.json` and `cases.parquet`; results.json last, so that its presence means a finished run."""
    scores = tuple(scores)
    write_table(pd.concat([score.table for score in scores], ignore_index=True), folder / CASES)
    write_json(results_document(scores, command, cross_check=cross_check), folder / RESULTS)


def results_document(
    scores: Iterable[SubmissionScore],
    command: str = "",
    disclosed: Mapping[str, dict[str, Any]] | None = None,
    cross_check: CrossCheck | None = None,
) -> dict[str, Any]:
    """Return the content of results.json for a submission's scores on one or more test sets.

    A test set whose references could not all be read has no aggregates, only the reasons.

    Args:
        scores: One for each test set.
        command: The command that was called.
        disclosed: Test set → what to say of it in place of everything.
        cross_check: What was computed again of the only test set.
    """
    scores = tuple(scores)
    named = [(score.test_set.name, score) for score in scores]
    results = {name: score.results for name, score in named}
    disclosed = disclosed or {}
    provenance = asdict(provenance_of(results, scores[0].settings, command))
    if any(score.settings != scores[0].settings for score in scores):
        provenance["settings"] = {name: score.settings.describe() for name, score in named}
    test_sets = {name: disclosed[name] if name in disclosed else _test_set(score) for name, score in named}
    if cross_check:
        ((name, document),) = test_sets.items()
        test_sets[name] = {**document, "cross_check": asdict(cross_check)}
    return {
        "schema_version": SCHEMA_VERSION,
        "test_sets": test_sets,
        "policies": POLICIES,
        "provenance": provenance,
    }


def aggregates(summary: Summary) -> dict[str, Any]:
    """Return all aggregates of a test set as results.json has them: the official table beside its variants."""
    variants = asdict(summary)
    official: dict[str, Any] = variants.pop("official")
    return {**official, **variants}


def _test_set(score: SubmissionScore) -> dict[str, Any]:
    document: dict[str, Any] = {
        "title": score.test_set.title,
        "note": score.test_set.note,
        "private": score.test_set.private,
        "n_cases": len(score.results),
        "expected_cases": score.test_set.expected_count,
        "complete": score.complete,
    }
    if score.summary:
        document |= aggregates(score.summary)
    document["failures"] = [
        {"case_id": result.case_id, **asdict(result.failure)} for result in score.results if result.failure
    ]
    document["ignored_predictions"] = list(score.ignored_predictions)
    document["n_ignored_references"] = score.n_ignored_references
    document["notes"] = [{"case_id": result.case_id, "note": note} for result in score.results for note in result.notes]
    return document
