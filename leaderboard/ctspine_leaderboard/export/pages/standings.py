"""Standings, one page for each test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_leaderboard.export.addresses import links_from, standings_page
from ctspine_leaderboard.export.sheet import Sheet
from ctspine_leaderboard.sections.standings import write_standings
from ctspine_leaderboard.views.standings import standings_view

if TYPE_CHECKING:
    from ctspine_bench.board import Board


def standings_sheet(board: Board, test_set: str, path: str) -> Sheet:
    """Return the standings of a test set in the official scheme, as a page at a path."""
    sheet = Sheet(
        path,
        "CTSpine1K leaderboard",
        "Segmentation and naming of vertebrae in spine CT: who is better, and how sure that is.",
        tab="Standings",
        test_set=test_set,
        sets={each.name: standings_page(each.name) for each in board.test_sets},
        folder=standings_page(test_set).removesuffix(".html"),
    )
    write_standings(sheet, standings_view(board, test_set), links_from(path))
    return sheet
