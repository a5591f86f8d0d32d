"""What the numbers of a submission were made with, and whether that is what they are made with today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from ctspine_bench.testsets import named
from ctspine_leaderboard.facts import digest, facts, inside, lines
from ctspine_leaderboard.views.links import submission_link
from ctspine_leaderboard.views.test_sets import full_title

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry
    from ctspine_leaderboard.views.links import Link

_OF_TODAY: Final = {True: "the one in use today", False: "not the one in use today"}


def provenance_facts(board: Board, entry: Entry, link: Link = submission_link) -> Markup | None:
    """Return what a submission's results were made with; `None` if they were not scored by this benchmark."""
    made = (entry.results or {}).get("provenance", {})
    if not made.get("engine_version"):
        return None
    today = board.today
    rows: list[tuple[str, str | Markup]] = [
        ("Scored", made["created"]),
        ("Version of ctspine-bench", made["version"]),
        ("Version of the rules", _rules(made["engine_version"], today.engine_version)),
        ("Command", made["command"]),
    ]
    for name in (entry.results or {})["test_sets"]:
        title = full_title(named(name))
        rows += [
            (f"Digest of the case list, {title}", _beside_today(made["splits"].get(name, ""), today.splits.get(name))),
            (
                f"Digest of the references, {title}",
                _beside_today(made["references"].get(name, ""), today.references.get(name)),
            ),
        ]
    rows.append(("Same predictions as", _same(board, entry, link)))
    return facts(rows, f"What the numbers of {entry.name} were made with")


def _rules(found: int, expected: int) -> str:
    return f"{found}, {_OF_TODAY[found == expected]}"


def _beside_today(found: str, expected: str | None) -> Markup:
    if not found:
        return Markup("")
    return lines([digest(found), escape(_OF_TODAY[found == expected])])


def _same(board: Board, entry: Entry, link: Link) -> Markup:
    """Return links to the submissions whose predictions are the same; those that are gone are named."""
    others = ((slug, board.entry(slug)) for slug in (entry.results or {})["same_predictions_as"])
    return lines(inside(link(slug), other.name) if other else escape(slug) for slug, other in others)
