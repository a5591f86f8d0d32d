"""`SubmissionScore` → `results.json`: everything that is published about a run, without its case rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ctspine_bench.aggregate import POLICIES
from ctspine_bench.tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from ctspine_bench.evaluate import SubmissionScore


def results_document(score: SubmissionScore) -> dict[str, Any]:
    """Return the content of results.json. Without a readable reference set there are no aggregates, only the reasons."""
    return {
        "schema_version": SCHEMA_VERSION,
        "test_sets": {score.test_set.name: _test_set(score)},
        "policies": POLICIES,
        "provenance": asdict(score.provenance),
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
    document["notes"] = [
        {"case_id": result.case_id, "note": note} for result in score.results for note in result.notes
    ]
    return document
