"""The submissions of a board in the order in which pages offer them, and names that fit into a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_leaderboard.views import test_sets

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry

_LENGTH: Final = 20


def best_first(board: Board, test_set: str) -> tuple[Entry, ...]:
    """Return all submissions: those ranked on a test set in the official order, then the others by name."""
    found = board.standings(test_set).standings
    places = {row.slug: place for place, row in enumerate(found.rows)} if found else {}
    return tuple(
        sorted(
            board.entries, key=lambda entry: (places.get(entry.slug, len(places)), entry.name.casefold(), entry.slug)
        )
    )


def most_to_show(board: Board, entry: Entry) -> str:
    """Return a test set on which there is most to show of a submission: one with public cases, if it has results."""
    there = sorted((each for each in board.test_sets if entry.on(each.name)), key=lambda each: each.private)
    return there[0].name if there else test_sets.default(board)


def cut(name: str) -> str:
    """Return a name that fits into the heading of a column."""
    return name if len(name) <= _LENGTH else f"{name[: _LENGTH - 1].rstrip()}…"
