"""The submissions of a board in the order in which pages offer them, and names that fit into a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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


def cut(name: str) -> str:
    """Return a name that fits into the heading of a column."""
    return name if len(name) <= _LENGTH else f"{name[: _LENGTH - 1].rstrip()}…"
