"""Results of a scoring → comment.json."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench.hosting.comment.data import COMMENT_VERSION, MAX_LISTED, parse_comment_data
from ctspine_bench.tables import SCHEMA_VERSION, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ctspine_bench.errors import InputError
    from ctspine_bench.rankings import RankInterval
    from ctspine_bench.submissions.declaration import Declaration

_NOTHING: Final[Mapping[str, Any]] = {}


def write_comment_data(
    results: Mapping[str, Any],
    declaration: Declaration,
    slug: str,
    path: Path,
    ranks: Mapping[str, RankInterval],
    reference: Mapping[str, Any] | None,
) -> None:
    """Write what the comment on a scored submission shows.

    Args:
        results: The public results.json of the submission: what it says of a private test set may be read by anyone.
        declaration: What was declared.
        slug: The submission's folder.
        path: Where to write.
        ranks: Test set → the rank that this submission would take there; without those on which it is not ranked. With
            partial coverage it is ranked on none.
        reference: results.json of the published nnU-Net; `None`, or one of an earlier layout, is not compared with.

    Raises:
        SubmissionError: E_RECORD, the results are not as they should be.
    """
    is_current = reference is not None and reference["schema_version"] == SCHEMA_VERSION
    published = reference["test_sets"] if reference and is_current else _NOTHING
    ranks = ranks if declaration.coverage == "complete" else {}
    document = {
        "schema_version": COMMENT_VERSION,
        "kind": "scored",
        "slug": slug,
        "commit": results["submission"]["commit"],
        "name": declaration.name,
        "team": declaration.team,
        "paper": declaration.paper,
        "code": declaration.code,
        "uses_verse": declaration.training.uses_verse,
        "uses_test_cases": declaration.training.uses_test_cases,
        "coverage": declaration.coverage,
        "coverage_reason": declaration.coverage_reason,
        "same_predictions_as": results["submission"]["same_predictions_as"][:MAX_LISTED],
        "test_sets": [
            _test_set(name, scores, ranks.get(name), published.get(name))
            for name, scores in results["test_sets"].items()
        ],
    }
    _write(document, path)


def write_refusal(problems: Sequence[InputError], path: Path, *, slug: str, commit: str | None) -> None:
    """Write what the comment on a pull request shows whose submission was not scored.

    Args:
        problems: What is wrong; at least one.
        path: Where to write.
        slug: The submission's folder.
        commit: The head commit that was looked at.
    """
    fields = ("code", "path", "expected", "found", "advice")
    _write(
        {
            "head": commit,
            "slugs": [slug],
            "problems": [{field: getattr(problem, field) for field in fields} for problem in problems],
        },
        path,
    )


def _write(document: dict[str, Any], path: Path) -> None:
    """Write a document that its reader will take."""
    parse_comment_data(json.dumps(document).encode(), path.name)
    write_json(document, path)


def _test_set(
    name: str, scores: Mapping[str, Any], rank: RankInterval | None, published: Mapping[str, Any] | None
) -> dict[str, Any]:
    per_case = scores.get("per_case", _NOTHING).get("dsc") or _NOTHING
    counts = scores.get("counts")
    failures = [each for each in scores["failures"] if each["side"] == "prediction"]
    return {
        "name": name,
        "n_cases": scores["n_cases"],
        "expected_cases": scores["expected_cases"],
        "complete": scores["complete"],
        "aggregated": "mean_of_vertebrae" in scores,
        "mean_of_vertebrae": _scores(scores.get("mean_of_vertebrae")),
        "mean_of_spine": _scores(scores.get("mean_of_spine")),
        "per_case_dsc": {limit: per_case.get(limit) for limit in ("mean", "low", "high")},
        "vertebrae": {status: counts[status] for status in ("matched", "missed", "spurious")} if counts else None,
        "published": _published(published, scores) if published else None,
        "rank": asdict(rank) if rank else None,
        "refused": [{"case_id": each["case_id"], "code": each["code"]} for each in failures[:MAX_LISTED]],
        "n_refused": dict(Counter(each["code"] for each in failures)),
        "n_unnamed": scores.get("n_other_failures", 0),
    }


def _scores(means: Mapping[str, Any] | None) -> dict[str, float | None]:
    means = means or _NOTHING
    return {key: means.get(key) for key in ("dsc", "hd95_mm", "hd95_matched_mm")}


def _published(published: Mapping[str, Any], scores: Mapping[str, Any]) -> dict[str, float | None] | None:
    """Return Mean of Vertebrae of the paper, whose HD95 is that of matched; `None` for what is over other labels.

    Of a private set only how many labels the references have is told, and not of how many labels one is matched.
    """
    ours, n_labels = scores.get("mean_of_vertebrae", _NOTHING), len(published["labels"])
    if ours.get("n", ours.get("n_reference")) != n_labels:
        return None
    means = published["mean_of_vertebrae"]
    return {"dsc": means["dsc"], "hd95_matched_mm": means["hd95_mm"] if ours.get("n_matched") == n_labels else None}
