"""Vertebrae, one page for each test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_leaderboard.export.addresses import vertebrae_page
from ctspine_leaderboard.export.sheet import Sheet
from ctspine_leaderboard.sections import vertebrae as sections
from ctspine_leaderboard.views import vertebrae as views
from ctspine_leaderboard.views.standings import SHOWN

if TYPE_CHECKING:
    from ctspine_bench.board import Board


def vertebrae_sheet(board: Board, test_set: str) -> Sheet:
    """Return the page about a test set: a map for each metric of the paper."""
    sheet = Sheet(
        vertebrae_page(test_set),
        "Vertebrae",
        "Each submission on each vertebra, from C1 to L6: where it is good, and where it fails.",
        tab="Vertebrae",
        test_set=test_set,
        sets={each.name: vertebrae_page(each.name) for each in board.test_sets},
    )
    maps = [views.vertebrae_view(board, test_set, measure) for measure in SHOWN]
    first = maps[0]
    sheet.words(first.note)
    if first.rows:
        sections.write_about_map(sheet, first)
    else:
        sheet.words("There are no values by vertebra to show.", *first.sentences())
    for view in maps:
        if view.rows:
            _map(sheet, view)
    return sheet


def _map(sheet: Sheet, view: views.VertebraeView) -> None:
    """Show all rows, in as many figures as it takes."""
    sheet.subheading(f"{view.measure.title} by vertebra")
    for name, rows in views.blocks(view.rows).items():
        sheet.figure(view.figure(rows), sections.THE_MAP, key=f"{view.measure.name}-{name}")
    sections.offer_map(sheet, view, view.rows)
