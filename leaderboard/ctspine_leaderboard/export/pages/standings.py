"""Standings, one page for each test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctspine_bench.rankings.schemes import OFFICIAL_TEXT
from ctspine_leaderboard import downloads
from ctspine_leaderboard.export.addresses import links_from, standings_page
from ctspine_leaderboard.export.sheet import Sheet
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.standings import standings_view

if TYPE_CHECKING:
    from ctspine_bench.board import Board
    from ctspine_leaderboard.views.standings import StandingsView


def standings_sheet(board: Board, test_set: str, path: str) -> Sheet:
    """Return the standings of a test set in the official scheme, as a page at a path."""
    view = standings_view(board, test_set)
    sheet = Sheet(
        path,
        "CTSpine1K leaderboard",
        "Segmentation and naming of vertebrae in spine CT: who is better, and how sure that is.",
        tab="Standings",
        test_set=test_set,
        sets={name: standings_page(name) for name in test_sets.options(board)},
        folder="standings",
    )
    _status(sheet, view)
    if view.rows:
        sheet.show(view.table(links_from(path)))
        _offer(sheet, view)
    _figures(sheet, view)
    return sheet


def _status(sheet: Sheet, view: StandingsView) -> None:
    order = "The official order." if view.is_official else f"Not the official order. {OFFICIAL_TEXT}"
    n_cases = f", {view.standings.n_cases} cases" if view.standings else ""
    sheet.words(f"{test_sets.full_title(view.test_set)} test set{n_cases}. {view.test_set.note}", order)
    if view.note:
        sheet.notice(view.note)


def _offer(sheet: Sheet, view: StandingsView) -> None:
    about = {
        "page": "standings",
        "test_set": view.test_set.name,
        "scheme": view.scheme,
        "metric": view.metric,
        "region": view.region,
        "official": view.is_official,
    }
    name = downloads.file_name("standings", view.test_set.name)
    caption = f"Standings on the test set {view.test_set.title}."
    sheet.offer(view.data(), about, name, caption=caption, latex=view.paper_table(), digits={"HD95 (mm)": 2})


def _figures(sheet: Sheet, view: StandingsView) -> None:
    ranks, scores = view.rank_figure(), view.score_figure()
    if ranks is None and scores is None:
        return
    sheet.subheading("How sure is that?")
    sheet.words(*view.sentences())
    if ranks is not None:
        sheet.figure(
            ranks,
            "How often each submission has each rank when cases are drawn anew: the larger a dot, the more often. "
            "The line is the 95 % interval of the rank.",
            key="ranks",
        )
    if scores is not None:
        sheet.figure(scores, "Scores with their 95 % intervals from resampling cases.", key="scores")
