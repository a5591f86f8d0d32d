"""A submission, one page for each test set that it has something to do with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from ctspine_leaderboard.export import addresses
from ctspine_leaderboard.export.badges import badge
from ctspine_leaderboard.export.sheet import Sheet
from ctspine_leaderboard.sections import submission as sections
from ctspine_leaderboard.views.choices import most_to_show

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry
    from ctspine_leaderboard.settings import Settings


def pages_of(board: Board, entry: Entry) -> dict[str, str]:
    """Return path → test set, of the pages of a submission; the first is the one that others link to."""
    first = most_to_show(board, entry)
    pages = {addresses.submission_page(entry.slug): first}
    if not entry.problem:
        pages |= {addresses.submission_page(entry.slug, name): name for name in _sets(board, entry)}
    return pages


def submission_sheet(
    board: Board, entry: Entry, path: str, test_set: str, settings: Settings, base_url: str = ""
) -> Sheet:
    """Return a page of a submission.

    Args:
        board: The board.
        entry: The submission.
        path: Where the page will be.
        test_set: What the parts of it are about that are about one test set.
        settings: Where the volumes of its worst cases are, if they are at hand.
        base_url: Where the export will be found, with a slash at its end; empty if that is not known.
    """
    sheet = Sheet(
        path,
        entry.name,
        test_set=test_set,
        sets={name: addresses.submission_page(entry.slug, name) for name in _sets(board, entry)},
        folder=addresses.submission_folder(entry.slug),
    )
    sections.write_about(sheet, board, entry, test_set)
    if entry.problem:
        sheet.sets = {}
        return sheet
    sections.write_places(sheet, board, entry, lambda name: addresses.relative(addresses.standings_page(name), path))
    sections.write_table(sheet, entry)
    sections.write_variants(sheet, entry)
    sections.write_folded_variants(sheet, entry)
    sections.write_beside_paper(sheet, entry, test_set)
    sections.write_test_set(sheet, board, entry, test_set)
    sections.write_sources(sheet, entry, test_set)
    sections.write_pictures(sheet, board, entry, test_set, settings)
    sections.write_training(sheet, entry)
    sections.write_provenance(sheet, board, entry, addresses.links_from(path))
    sections.write_citation(sheet, entry)
    _badge(sheet, board, entry, base_url)
    return sheet


def _badge(sheet: Sheet, board: Board, entry: Entry, base_url: str) -> None:
    """Show the badge, and where it is known where it will be found, how to put it into a page."""
    path, made = addresses.badge_file(entry.slug), badge(board, entry)
    sheet.subheading("Badge", "Where it stands on the test set that decides, for a README.")
    sheet.show(
        Markup('<p><img src="{}" alt="{}" width="{}" height="20"></p>').format(
            addresses.relative(path, sheet.path), made.title, made.width
        )
    )
    if base_url:
        page = addresses.submission_page(entry.slug)
        sheet.quote(f"[![CTSpine1K leaderboard]({base_url}{path})]({base_url}{page})")


def _sets(board: Board, entry: Entry) -> list[str]:
    """Return the test sets that a submission has something to do with, and the one to begin with."""
    first = most_to_show(board, entry)
    names = [each.name for each in board.test_sets]
    return [name for name in names if name == first or board.status(entry, name) != "absent"]
