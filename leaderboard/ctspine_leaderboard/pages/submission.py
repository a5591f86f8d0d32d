"""Everything about one submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from markupsafe import Markup

from ctspine_bench.board.entries import FLAGS, REASONS
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.tables import badge
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.case_tables import case_table
from ctspine_leaderboard.views.choices import best_first
from ctspine_leaderboard.views.names import distinct_names
from ctspine_leaderboard.views.submission import about, cases, cite, errors, paper_table, places, provenance

if TYPE_CHECKING:
    import pandas as pd

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
    _about(board, entry, test_set)
    if not entry.problem:
        _numbers(board, entry)
        _test_set(board, entry, test_set)
        _provenance(board, entry)
        _cite(entry)


def _chosen(board: Board) -> tuple[Entry, str]:
    """Show the selectors; return what is chosen."""
    options = distinct_names(best_first(board, test_sets.default(board)))
    columns = st.columns([2, 1])
    with columns[0]:
        slug = state.choose("id", "Submission", options, next(iter(options)))
    entry = board.entry(slug) or board.entries[0]
    with columns[1]:
        hint = "For the parts of this page that are about one test set"
        test_set = state.choose("set", "Test set", test_sets.options(board), _default_set(board, entry), hint=hint)
    return entry, test_set


def _default_set(board: Board, entry: Entry) -> str:
    """Return a test set on which there is most to show of a submission: one with public cases, if it has results."""
    there = sorted((each for each in board.test_sets if entry.on(each.name)), key=lambda each: each.private)
    return there[0].name if there else test_sets.default(board)


def _about(board: Board, entry: Entry, test_set: str) -> None:
    frame.subheading(entry.name)
    if flags := board.flags(entry, test_set):
        frame.show(Markup(" ").join(badge(FLAGS[flag]) for flag in flags))
    if entry.problem:
        frame.words(REASONS[board.status(entry, test_set)], str(entry.problem))
        return
    facts = about.about_facts(entry)
    if facts:
        frame.show(facts)


def _numbers(board: Board, entry: Entry) -> None:
    """Show where it stands on each test set, and the table of the paper."""
    found = places.places(board, entry)
    frame.subheading("Where it stands")
    if found:
        frame.show(places.place_table(found))
        name = downloads.file_name("places", entry.slug)
        caption = f"{entry.name}: where it stands on each test set."
        frame.offer(places.place_data(found), {"page": "submission", "id": entry.slug}, name, caption=caption)
    table = paper_table.paper_table(entry)
    if table is None:
        frame.words("There are no results of it yet.")
        return
    frame.subheading("Its table in the layout of the paper")
    frame.show(table.table())
    frame.words(*paper_table.notes(entry))
    name = downloads.file_name("table", entry.slug)
    about_table = {"page": "submission", "id": entry.slug}
    frame.offer(table.data(), about_table, name, caption=f"{entry.name}: all means.", latex=table.latex())


def _test_set(board: Board, entry: Entry, test_set: str) -> None:
    """Show what is about the chosen test set alone."""
    title = dict(test_sets.options(board))[test_set]
    facts = errors.error_facts(entry, test_set)
    rows = case_table(board, entry, test_set)
    frame.subheading(f"What goes wrong: {title}")
    if facts:
        frame.show(facts)
    frame.words(errors.note(board, entry, test_set, has_cases=rows is not None))
    if rows is not None:
        _cases(entry, test_set, rows)


def _cases(entry: Entry, test_set: str, rows: pd.DataFrame) -> None:
    for each in cases.case_figures(entry, test_set, rows):
        frame.subheading(each.heading)
        frame.figure(each.figure, each.words, key=each.name)
    worst = cases.worst_cases(rows)
    if not worst:
        return
    frame.subheading("The worst cases", "Those with the lowest mean DSC. Each leads to its pictures.")
    frame.show(cases.worst_table(worst, entry, test_set))
    about_cases = {"page": "submission", "id": entry.slug, "test_set": test_set, "what": "worst cases"}
    name = downloads.file_name("worst", entry.slug, test_set)
    frame.offer(cases.worst_data(worst), about_cases, name, caption=f"{entry.name}: the worst cases.")


def _provenance(board: Board, entry: Entry) -> None:
    facts = provenance.provenance_facts(board, entry)
    if facts:
        frame.subheading("What the numbers were made with")
        frame.show(facts)


def _cite(entry: Entry) -> None:
    frame.subheading("Cite", "The data set and its benchmark, and this submission.")
    st.code(cite.dataset_bibtex(), language=None, wrap_lines=True)
    of_submission = cite.submission_bibtex(entry)
    if of_submission:
        st.code(of_submission, language=None, wrap_lines=True)
