"""The rank that a submission would take among those on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctspine_bench.errors import SubmissionError
from ctspine_bench.rankings import rank_intervals
from ctspine_bench.testsets import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from ctspine_bench.hosting.scoring import ScoredRecord
    from ctspine_bench.hosting.store import PrivateStore
    from ctspine_bench.rankings import RankInterval
    from ctspine_bench.submissions.records import Record


def prospective_ranks(
    slug: str, scored: ScoredRecord, board: Iterable[Record], store: PrivateStore | None
) -> dict[str, RankInterval]:
    """Return test set → rank; without the test sets on which it is not ranked.

    Ranked are complete results of the same scorer on the same references. On a private test set that takes the store,
    and results whose Mean of Vertebrae is published: a rank would tell about one that is not.

    Args:
        slug: The submission; its record on the board gives way.
        scored: Its results.
        board: The records on the board.
        store: Where the cases of private test sets are.
    """
    others = {
        record.slug: record
        for record in board
        if record.slug != slug and record.results and not record.outdated and record.declaration.coverage == "complete"
    }
    ranks = {}
    for test_set, results in scored.document["test_sets"].items():
        is_private = named(test_set).private
        if not _is_ranked(results) or (is_private and not store):
            continue
        tables: dict[str, pd.DataFrame] = {}
        try:
            for name, record in others.items():
                if not _comparable(record.results or {}, scored.document, test_set):
                    continue
                cases = _private_cases(record, store) if is_private and store else record.cases
                if cases is not None:
                    tables[name] = cases[cases["test_set"] == test_set]
            found = rank_intervals({**tables, slug: scored.tables[test_set]}, as_told=is_private)
            ranks[test_set] = found[slug]
        except SubmissionError:
            continue  # a record, on the board or in the store, is broken, which is for `submission verify` to say
    return ranks


def _private_cases(record: Record, store: PrivateStore) -> pd.DataFrame | None:
    scores = store.scores_of(record.slug, record.declaration_sha256)
    if scores is None or _engine_version(scores.results) != _engine_version(record.results or {}):
        return None  # the store has been scored again, and the record is from before
    return scores.private


def _is_ranked(results: Mapping[str, Any]) -> bool:
    means = results.get("mean_of_vertebrae") or {}
    return bool(results.get("complete")) and None not in (means.get("dsc"), means.get("hd95_mm"))


def _comparable(other: Mapping[str, Any], ours: Mapping[str, Any], test_set: str) -> bool:
    if other.get("kind") != "scored" or not _is_ranked(other["test_sets"].get(test_set, {})):
        return False
    theirs, mine = (results["provenance"]["digests"][test_set]["references"] for results in (other, ours))
    return bool(theirs == mine and _engine_version(other) == _engine_version(ours))


def _engine_version(results: Mapping[str, Any]) -> int | None:
    version: int | None = results["provenance"].get("engine_version")
    return version
