"""Who is better on a test set, and how sure that is."""

from __future__ import annotations

import streamlit as st

from ctspine_bench.rankings.paired import METRICS, REGIONS
from ctspine_bench.rankings.schemes import OFFICIAL, OFFICIAL_TEXT, SCHEMES
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.standings import StandingsView, standings_view


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading(
        "CTSpine1K leaderboard",
        "Segmentation and naming of vertebrae in spine CT: who is better, and how sure that is.",
    )
    frame.board_notices(board)
    columns = st.columns(4)
    with columns[0]:
        test_set = state.choose("set", "Test set", test_sets.options(board), test_sets.default(board))
    with columns[1]:
        scheme = state.choose(
            "scheme",
            "Ranked by",
            {name: each.title for name, each in SCHEMES.items()},
            OFFICIAL[0],
            hint=" ".join(f"{each.title}: {each.description}" for each in SCHEMES.values()),
        )
    with columns[2]:
        metric = state.choose("metric", "Metric", {name: each.title for name, each in METRICS.items()}, OFFICIAL[1])
    with columns[3]:
        region = state.choose("region", "Region", {name: _region_title(name) for name in REGIONS}, OFFICIAL[2])
    drop = board.has_errata(test_set) and state.switch(
        "errata", "Without known-bad references", hint="Leave out the cases whose references users have reported"
    )
    view = standings_view(board, test_set, scheme, metric, region, keep_errata=not drop)
    _status(view)
    if view.rows:
        frame.show(view.table())
        _downloads(view)
    _figures(view)


def _region_title(name: str) -> str:
    return "Whole spine" if name == "all" else name.capitalize()


def _status(view: StandingsView) -> None:
    """Say which order this is, and what a reader has to know about the test set."""
    order = "The official order." if view.is_official and view.standings else f"Not the official order. {OFFICIAL_TEXT}"
    n_cases = f", {view.standings.n_cases} cases" if view.standings else ""
    frame.words(f"{test_sets.full_title(view.test_set)} test set{n_cases}. {view.test_set.note}", order)
    if view.note:
        frame.notice(view.note)


def _downloads(view: StandingsView) -> None:
    name = downloads.file_name("standings", view.test_set.name, view.scheme, view.metric, view.region)
    about = {
        "page": "standings",
        "test_set": view.test_set.name,
        "scheme": view.scheme,
        "metric": view.metric,
        "region": view.region,
        "official": view.is_official,
    }
    caption = f"Standings on the test set {view.test_set.title}."
    frame.offer(view.data(), about, name, caption=caption, latex=view.paper_table(), digits={"HD95 (mm)": 2})


def _figures(view: StandingsView) -> None:
    ranks = view.rank_figure()
    scores = view.score_figure()
    if ranks is None and scores is None:
        return
    frame.subheading("How sure is that?")
    frame.words(*view.sentences())
    if ranks is not None:
        frame.figure(
            ranks,
            "How often each submission has each rank when cases are drawn anew: the larger a dot, the more often. "
            "The line is the 95 % interval of the rank.",
            key="ranks",
        )
    if scores is not None:
        frame.figure(scores, "Scores with their 95 % intervals from resampling cases.", key="scores")
