"""Who is better on a test set, and how sure that is."""

from __future__ import annotations

import streamlit as st

from ctspine_bench.rankings.paired import METRICS, REGIONS
from ctspine_bench.rankings.schemes import OFFICIAL, SCHEMES
from ctspine_leaderboard import frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.sections.standings import write_standings
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.standings import standings_view


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
    write_standings(frame, view)


def _region_title(name: str) -> str:
    return "Whole spine" if name == "all" else name.capitalize()
