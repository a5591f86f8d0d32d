"""The public record of a scoring: what of its scores is written for everybody, in the words of its own submission."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ctspine_bench.errors import CODES
from ctspine_bench.files import replacing_together, sha256_of
from ctspine_bench.hosting.store import StoredScores
from ctspine_bench.results import CASES, RESULTS, results_document
from ctspine_bench.tables import case_table, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.evaluate import SubmissionScore
    from ctspine_bench.hosting.intake import Intake


def joined_scores(scores: Sequence[SubmissionScore], disclosed: Mapping[str, dict[str, Any]]) -> StoredScores:
    """Return the scores of a submission on its test sets as the store keeps them.

    Args:
        scores: One for each test set.
        disclosed: Private test set → what may be told of it.
    """
    return StoredScores(
        json.loads(json.dumps(results_document(scores, disclosed=disclosed))),  # as it is read back: lists, no tuples
        cases=_joined(score.table for score in scores if not score.test_set.private),
        private=_joined(score.table for score in scores if score.test_set.private),
    )


def _joined(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    tables = list(tables)
    return pd.concat(tables, ignore_index=True) if tables else case_table((), "")


def explained(scores: StoredScores, intakes: Mapping[str, Intake]) -> StoredScores:
    """Return the same scores with every failure told as the participants of these intakes may read it.

    What they refused is told in their words, all else by what its code means. Other messages name files as they lie on
    this machine, or as they are called in the archive of another submission with the same predictions.

    Args:
        scores: What was scored.
        intakes: Test set → its predictions; for what is not in here, codes alone are told.
    """
    results = copy.deepcopy(scores.results)
    for name, test_set in results["test_sets"].items():
        refused = intakes[name].refused if name in intakes else {}
        for failure in test_set["failures"]:
            code, refusal = failure["code"], refused.get(failure["case_id"])
            failure["message"] = str(refusal) if refusal else f"{code}: {CODES[code]}"
    return replace(scores, results=results)


def write_record(
    scores: StoredScores,
    output: Path,
    submission: Mapping[str, Any],
    kind: str = "scored",
    training: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the public record, and return what is in its results.json.

    Args:
        scores: What was scored.
        output: The folder for results.json and cases.parquet.
        submission: What results.json says about where the predictions come from.
        kind: As declared.
        training: What a baseline was trained with.
    """
    with replacing_together(output) as temporary:
        write_table(scores.cases, temporary / CASES)
        document = {
            "schema_version": scores.results["schema_version"],
            "kind": kind,
            "submission": submission,
            **({"training": training} if training else {}),
            "cases_sha256": sha256_of(temporary / CASES),
            **{key: value for key, value in scores.results.items() if key != "schema_version"},
        }
        write_json(document, temporary / RESULTS)
    return document
