"""Domain gap, one page for each test set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctspine_leaderboard.export.addresses import gap_page, links_from
from ctspine_leaderboard.export.sheet import Sheet
from ctspine_leaderboard.sections import domain_gap as sections
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.choices import best_first
from ctspine_leaderboard.views.domain_gap.scores import BENCHMARKS

if TYPE_CHECKING:
    from ctspine_bench.board import Board
    from ctspine_bench.testsets import TestSet

_WHO: Final = (
    "Figures show the first three submissions in the official order, and what is shown as published; the table of gaps "
    "has all submissions."
)


def domain_gap_sheet(board: Board, test_set: TestSet) -> Sheet:
    """Return the page about a test set: the gaps of its benchmark, and what is about this set alone."""
    path = gap_page(test_set.name)
    sheet = Sheet(
        path,
        "Domain gap",
        "What submissions lose from the public test set to the private one and to VerSe, and where they lose it.",
        tab="Domain gap",
        test_set=test_set.name,
        sets={each.name: gap_page(each.name) for each in board.test_sets},
    )
    benchmark = next(name for name in BENCHMARKS if test_set in views.family(board, name))
    sets = views.family(board, benchmark)
    view = views.domain_gap_view(board, benchmark, views.default_choice(board, sets))
    if view.entries:
        there = views.candidates(board, sets)
        everyone = [entry.slug for entry in best_first(board, test_set.name) if entry in there]
        sheet.words(_WHO if len(everyone) > len(view.entries) else "")
        sections.write_scores(sheet, view, benchmark)
        sections.write_gaps(sheet, views.domain_gap_view(board, benchmark, everyone), benchmark, links_from(path))
        _gaps_to(sheet, view, test_set)
        sections.write_sources(sheet, board, view, benchmark)
        sheet.subheading(f"By region, spacing and anatomy: {test_sets.title(test_set)}")
        sections.write_strata(sheet, board, view, test_set)
    elif board.entries:
        sheet.notice("No submission has been scored yet.")
    sections.write_annotation(sheet)
    return sheet


def _gaps_to(sheet: Sheet, view: views.DomainGapView, test_set: TestSet) -> None:
    """Take the gaps to a test set apart, one after the other; to the public one there are none."""
    for place, found in enumerate(each for each in view.gaps if each.other == test_set):
        name = view.names[found.entry.slug]
        sheet.subheading(f"The gap to {test_sets.title(test_set)} taken apart: {name}")
        sections.write_gap(sheet, found, explained=place == 0)
