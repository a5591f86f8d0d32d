"""`SubmissionScore` → `results.json` and `cases.parquet` in an output folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ctspine_bench.aggregate import POLICIES
from ctspine_bench.provenance import provenance_of
from ctspine_bench.tables import SCHEMA_VERSION, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore


RESULTS: Final = "results.json"
CASES: Final = "cases.parquet"
JOURNAL: Final = "journal.jsonl"


def write_results(scores: Iterable[SubmissionScore], folder: Path, command: str = "") -> None:
    """Write `results.json` and `cases.parquet`; results.json last, so that its presence means a finished run."""
    scores = tuple(scores)
    write_table(pd.concat([score.table for score in scores], ignore_index=True), folder / CASES)
    write_json(results_document(scores, command), folder / RESULTS)


def results_document(scores: Iterable[SubmissionScore], command: str = "") -> dict[str, Any]:
    """Return the content of results.json for a submission's scores on one or more test sets.

    A test set whose references could not all be read has no aggregates, only the reasons.
    """
    scores = tuple(scores)
    results = {score.test_set.name: score.results for score in scores}
    return {
        "schema_version": SCHEMA_VERSION,
        "test_sets": {score.test_set.name: _test_set(score) for score in scores},
        "policies": POLICIES,
        "provenance": asdict(provenance_of(results, scores[0].settings, command)),
    }


def _test_set(score: SubmissionScore) -> dict[str, Any]:
    document: dict[str, Any] = {
        "title": score.test_set.title,
        "note": score.test_set.note,
        "n_cases": len(score.results),
        "expected_cases": score.test_set.expected_count,
        "complete": score.complete,
    }
    if score.summary:
        summary = asdict(score.summary)
        # The official table is the headline: it stands beside its variants, not inside.
        official = summary.pop("official")
        document |= {**official, **summary}
    document["failures"] = [
        {"case_id": result.case_id, **asdict(result.failure)} for result in score.results if result.failure
    ]
    document["ignored_predictions"] = list(score.ignored_predictions)
    document["n_ignored_references"] = score.n_ignored_references
    document["notes"] = [{"case_id": result.case_id, "note": note} for result in score.results for note in result.notes]
    return document
