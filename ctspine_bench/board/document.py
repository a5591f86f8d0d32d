"""standings.json: where everybody stands, for programs and for the leaderboard.

It says nothing about private cases: it may be published as it is.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ctspine_bench import __version__
from ctspine_bench.board.private_file import SCHEMA_VERSION
from ctspine_bench.board.standings_file import to_document
from ctspine_bench.files import replacing
from ctspine_bench.jackknife import CONFIDENCE, DRAWS, SEED
from ctspine_bench.rankings.paired import REGIONS
from ctspine_bench.rankings.schemes import OFFICIAL, OFFICIAL_TEXT, SCHEMES

if TYPE_CHECKING:
    from pathlib import Path

    from ctspine_bench.board.board import Board

METRICS: Final = ("dsc", "hd95_mm")
"""The metrics of the paper, by which the document has standings."""


def standings_document(board: Board) -> dict[str, Any]:
    """Return the content of standings.json.

    Public test sets: the standings by every scheme and region for DSC and HD95, with the known-bad references kept, and
    the official ones without them. Private ones: what the organizers tell (see `private`), as the board has it.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "standings",
        "version": __version__,
        "engine_version": board.today.engine_version,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "official": {**dict(zip(("scheme", "metric", "region"), OFFICIAL, strict=True)), "rule": OFFICIAL_TEXT},
        "draws": DRAWS,
        "seed": SEED,
        "confidence": CONFIDENCE,
        "test_sets": {
            test_set.name: {
                "title": test_set.title,
                "unranked": [
                    {"slug": entry.slug, "status": board.status(entry, test_set.name), "reason": reason}
                    for entry, reason in board.standings(test_set.name).unranked
                ],
                **(
                    board.private_part(test_set.name).to_document()
                    if test_set.private
                    else _public(board, test_set.name)
                ),
            }
            for test_set in board.test_sets
        },
    }


def write_standings(board: Board, path: Path) -> None:
    """Write standings.json, atomically; without indents, as of many submissions it is mostly shares of draws.

    Raises:
        OSError: It cannot be written.
    """
    text = json.dumps(standings_document(board), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _public(board: Board, test_set: str) -> dict[str, Any]:
    found = [
        board.standings(test_set, scheme, metric, region).standings
        for scheme in SCHEMES
        for metric in METRICS
        for region in REGIONS
    ]
    ranked = board.paired(test_set)
    digests = {entry.slug: entry.digest for entry in board.entries if ranked and entry.slug in ranked.slugs}
    without = board.standings(test_set, keep_errata=False).standings if board.has_errata(test_set) else None
    return {
        "private": False,
        "entries": digests,
        "standings": [to_document(one) for one in found if one],
        "without_errata": to_document(without) if without else None,
        "domain_gap": {},
    }
