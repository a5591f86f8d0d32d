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
from ctspine_leaderboard.views.submission import paper_table, variants

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry
    from ctspine_bench.report.variants import Variant


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading("Submission", "What it is, how it scores, what goes wrong, and what the numbers were made with.")
    frame.board_notices(board)
    if not board.entries:
        frame.words("As soon as there is a submission, this page shows it.")
        return
    entry, test_set, variant = _chosen(board)
    frame.subheading(entry.name)
    sections.write_about(frame, board, entry, test_set)
    if not entry.problem:
        sections.write_places(frame, board, entry)
        sections.write_table(frame, entry, variant)
        sections.write_variants(frame, entry)
        sections.write_beside_paper(frame, entry, test_set)
        sections.write_test_set(
            frame, board, entry, test_set, lambda case: address("cases", set=test_set, case=case, ids=entry.slug)
        )
        sections.write_sources(frame, entry, test_set)
        frame.show(pictures.stylesheet())
        with st.spinner("Reading volumes …"):
            sections.write_pictures(frame, board, entry, test_set, settings())
        sections.write_training(frame, entry)
        sections.write_provenance(frame, board, entry)
        sections.write_citation(frame, entry)


def _chosen(board: Board) -> tuple[Entry, str, Variant]:
    """Show the selectors; return what is chosen."""
    options = distinct_names(best_first(board, test_sets.default(board)))
    columns = st.columns([2, 1, 2])
    with columns[0]:
        slug = state.choose("id", "Submission", options, next(iter(options)))
    entry = board.entry(slug) or board.entries[0]
    with columns[1]:
        hint = "For the parts of this page that are about one test set"
        test_set = state.choose("set", "Test set", test_sets.options(board), most_to_show(board, entry), hint=hint)
    there = variants.there(entry, paper_table.test_sets_of(entry))
    if len(there) < 2:
        return entry, test_set, "official"
    with columns[2]:
        titles: dict[str, str] = {variant: variants.words(variant) for variant in there}
        chosen = state.choose("table", "Its table", titles, "official", hint="The official rule, or a variant of it")
    return entry, test_set, next(variant for variant in there if variant == chosen)
