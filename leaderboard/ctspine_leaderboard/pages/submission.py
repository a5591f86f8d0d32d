"""Everything about one submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ctspine_leaderboard import frame, state
from ctspine_leaderboard.boards import current_board, settings
from ctspine_leaderboard.sections import submission as sections
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.cases import pictures
from ctspine_leaderboard.views.choices import best_first, most_to_show
from ctspine_leaderboard.views.links import address
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading("Submission", "What it is, how it scores, what goes wrong, and what the numbers were made with.")
    frame.board_notices(board)
    if not board.entries:
        frame.words("As soon as there is a submission, this page shows it.")
        return
    entry, test_set = _chosen(board)
    frame.subheading(entry.name)
    sections.write_about(frame, board, entry, test_set)
    if not entry.problem:
        sections.write_numbers(frame, board, entry)
        sections.write_test_set(
            frame, board, entry, test_set, lambda case: address("cases", set=test_set, case=case, ids=entry.slug)
        )
        frame.show(pictures.stylesheet())
        with st.spinner("Reading volumes …"):
            sections.write_pictures(frame, board, entry, test_set, settings())
        sections.write_training(frame, entry)
        sections.write_provenance(frame, board, entry)
        sections.write_citation(frame, entry)


def _chosen(board: Board) -> tuple[Entry, str]:
    """Show the selectors; return what is chosen."""
    options = distinct_names(best_first(board, test_sets.default(board)))
    columns = st.columns([2, 1])
    with columns[0]:
        slug = state.choose("id", "Submission", options, next(iter(options)))
    entry = board.entry(slug) or board.entries[0]
    with columns[1]:
        hint = "For the parts of this page that are about one test set"
        test_set = state.choose("set", "Test set", test_sets.options(board), most_to_show(board, entry), hint=hint)
    return entry, test_set
