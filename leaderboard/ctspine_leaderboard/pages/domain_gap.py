"""What submissions lose from the public test set to the others, and where they lose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ctspine_bench.charts.marks import MOST
from ctspine_leaderboard import frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.sections import domain_gap as sections
from ctspine_leaderboard.views import domain_gap as views
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board
    from ctspine_bench.testsets import TestSet


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading(
        "Domain gap",
        "What submissions lose from the public test set to the private one and to VerSe, and where they lose it.",
    )
    frame.board_notices(board)
    benchmark = _benchmark(board)
    view = _choice(board, benchmark)
    if view.entries:
        sections.write_scores(frame, view, benchmark)
        sections.write_gaps(frame, view, benchmark)
        _one_gap(view)
        sections.write_sources(frame, board, view, benchmark)
        _strata(board, view)
    sections.write_annotation(frame)


def _benchmark(board: Board) -> str:
    """Let the visitor choose where a board has results of several benchmarks."""
    there = views.benchmarks(board)
    first = next(iter(there))
    return state.choose("benchmark", "Benchmark", there, first) if len(there) > 1 else first


def _choice(board: Board, benchmark: str) -> views.DomainGapView:
    sets = views.family(board, benchmark)
    options = distinct_names(views.candidates(board, sets))
    chosen: list[str] = []
    if options:
        chosen = state.choose_several(
            "ids",
            "Submissions",
            options,
            views.default_choice(board, sets),
            most=MOST,
            hint=f"Up to {MOST}. By default the first three in the official order, and what is shown as published",
        )
    if not chosen and board.entries:
        frame.notice("Choose a submission to see its scores." if options else "No submission has been scored yet.")
    return views.domain_gap_view(board, benchmark, chosen)


def _one_gap(view: views.DomainGapView) -> None:
    if not view.gaps:
        return
    frame.subheading("One gap taken apart")
    others = {each.name: each for each in views.others(view.sets)}
    columns = st.columns(2)
    with columns[0]:
        names = {entry.slug: view.names[entry.slug] for entry in view.entries}
        slug = state.choose("id", "Submission", names, view.entries[0].slug)
    with columns[1]:
        other = state.choose("to", "From Public to", _titles(others), next(iter(others)))
    found = next(each for each in view.gaps if (each.entry.slug, each.other.name) == (slug, other))
    sections.write_gap(frame, found)


def _strata(board: Board, view: views.DomainGapView) -> None:
    frame.subheading("By region, spacing and anatomy", "Within one test set.")
    sets = {each.name: each for each in view.sets}
    name = state.choose("set", "Test set", _titles(sets), next(iter(sets)))
    sections.write_strata(frame, board, view, sets[name])


def _titles(sets: Mapping[str, TestSet]) -> dict[str, str]:
    return {name: test_sets.title(each) for name, each in sets.items()}
