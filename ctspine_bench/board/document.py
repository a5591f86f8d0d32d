"""standings.json: where everybody stands, for programs and for the leaderboard.

It says nothing about private cases: it may be published as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.board.private import private_part
from ctspine_bench.board.private_file import SCHEMA_VERSION
from ctspine_bench.board.standings_file import to_document
from ctspine_bench.bootstrap import DRAWS, SEED
from ctspine_bench.rankings.intervals import CONFIDENCE
from ctspine_bench.rankings.paired import REGIONS
from ctspine_bench.rankings.schemes import OFFICIAL, OFFICIAL_TEXT, SCHEMES

if TYPE_CHECKING:
    from ctspine_bench.board.board import Board
    from ctspine_bench.hosting.store import PrivateStore

METRICS: Final = ("dsc", "hd95_mm")
"""The metrics of the paper, by which the document has standings."""


def standings_document(board: Board, store: PrivateStore | None = None) -> dict[str, Any]:
    """Return the content of standings.json.

    Public test sets: the standings by every scheme and region for DSC and HD95, with the known-bad references kept, and
    the official ones without them. Private ones: what `private` argues may be told, and only with the store.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "standings",
        "version": __version__,
        "engine_sha256": board.today.engine_sha256,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "official": {**dict(zip(("scheme", "metric", "region"), OFFICIAL, strict=True)), "rule": OFFICIAL_TEXT},
        "draws": DRAWS,
        "seed": SEED,
        "confidence": CONFIDENCE,
        "test_sets": {
            test_set.name: {
                "title": test_set.title,
                "unranked": [
                    {"slug": entry.slug, "status": board.status(entry, test_set.name)}
                    for entry in board.entries
                    if board.status(entry, test_set.name) not in {"ranked", "absent"}
                ],
                **(_private(board, test_set.name, store) if test_set.private else _public(board, test_set.name)),
            }
            for test_set in board.test_sets
        },
    }


def _private(board: Board, test_set: str, store: PrivateStore | None) -> dict[str, Any]:
    if store is None:
        return {"private": True, "entries": {}, "standings": [], "domain_gap": {}}
    return private_part(board, test_set, store)


def _public(board: Board, test_set: str) -> dict[str, Any]:
    found = [
        board.standings(test_set, scheme, metric, region).standings
        for scheme in SCHEMES
        for metric in METRICS
        for region in REGIONS
    ]
    ranked = {entry.slug: entry.digest for entry in board.entries if board.status(entry, test_set) == "ranked"}
    without = board.standings(test_set, keep_errata=False).standings if board.has_errata(test_set) else None
    return {
        "private": False,
        "entries": ranked,
        "standings": [to_document(one) for one in found if one],
        "without_errata": to_document(without) if without else None,
        "domain_gap": {},
    }
