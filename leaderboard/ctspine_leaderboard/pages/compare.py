"""Two submissions: who is better, by how much, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ctspine_bench.rankings.paired import METRICS
from ctspine_bench.rankings.schemes import OFFICIAL
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.views import regions, test_sets
from ctspine_leaderboard.views.choices import best_first
from ctspine_leaderboard.views.compare import Comparison, compare, tables, words
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from ctspine_bench.board import Board


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading("Compare", "Two submissions on the same cases: who is better, by how much, and whether that is sure.")
    frame.board_notices(board)
    if len(board.entries) < 2:
        frame.words("It takes two submissions to compare; this board has fewer.")
        return
    found = _chosen(board)
    if found is None:
        frame.words("Choose two different submissions.")
        return
    frame.words(*words.verdict(found))
    if found.cases:
        _cases(found)
    if found.labels:
        _labels(found)


def _chosen(board: Board) -> Comparison | None:
    """Show the selectors; return the comparison of what is chosen, `None` for one submission with itself."""
    columns = st.columns(3)
    with columns[0]:
        test_set = state.choose("set", "Test set", test_sets.options(board), _default_set(board))
    with columns[1]:
        metric = state.choose("metric", "Metric", {name: each.title for name, each in METRICS.items()}, OFFICIAL[1])
    with columns[2]:
        region = state.choose("region", "Region", regions.options(), OFFICIAL[2])
    options = distinct_names(best_first(board, test_set))
    left, right = st.columns(2)
    with left:
        first = state.choose("a", "First submission", options, next(iter(options)))
    with right:
        second = state.choose("b", "Second submission", options, next(slug for slug in options if slug != first))
    one, other = board.entry(first), board.entry(second)
    return compare(board, test_set, one, other, metric, region) if one and other and one != other else None


def _default_set(board: Board) -> str:
    """Return the first test set on which two can be compared by their cases, else the one that decides."""
    paired = ((each.name, board.paired(each.name)) for each in board.test_sets)
    return next((name for name, found in paired if found and len(found.slugs) > 1), test_sets.default(board))


def _cases(found: Comparison) -> None:
    summary, deciding = tables.summary(found), tables.deciding_table(found)
    by_case, agreement = found.case_figure(), found.agreement_figure()
    if summary is None or deciding is None or by_case is None or agreement is None:
        return
    frame.show(summary)
    frame.words(words.SURE)
    frame.subheading("Case by case", words.by_cases(found))
    frame.figure(by_case, "A bar for each case, sorted by how much one is better than the other.", key="by-case")
    frame.subheading("The cases that decide", "Where one is better than the other by most. Each leads to its pictures.")
    frame.show(deciding)
    _offer(found, "cases")
    frame.subheading("Do they differ more where cases are hard?")
    frame.figure(
        agreement,
        "The difference in each case over the mean of both (Bland–Altman plot). If both were alike, 95 % of the cases "
        "would lie between the dashed lines, 1.96 standard deviations from the mean difference.",
        key="agreement",
    )


def _labels(found: Comparison) -> None:
    intervals = (
        "The line is the 95 % interval over cases, for labels that at least ten cases have. Labels are not "
        "corrected for their number: one in twenty intervals misses what it should hold."
        if found.cases
        else "The difference of the published means, without intervals."
    )
    frame.subheading("Label by label")
    frame.figure(found.label_figure(), intervals, key="labels")
    frame.show(tables.label_table(found))
    _offer(found, "labels")


def _offer(found: Comparison, what: str) -> None:
    first, second = found.first.slug, found.second.slug
    parts = (found.test_set.name, found.metric.name, found.region)
    about = {
        "page": "compare",
        "what": what,
        "test_set": found.test_set.name,
        "metric": found.metric.name,
        "region": found.region,
        "a": first,
        "b": second,
        "difference": "a less b",
    }
    table = found.label_data() if what == "labels" else found.case_data()
    caption = (
        f"{found.metric.title} of {found.names[0]} (a) and {found.names[1]} (b) on the test set "
        f"{found.test_set.title}, and a less b."
    )
    digits = {name: found.metric.digits for name in table.columns if name != "n"}
    frame.offer(
        table, about, downloads.file_name("compare", what, first, second, *parts), caption=caption, digits=digits
    )
