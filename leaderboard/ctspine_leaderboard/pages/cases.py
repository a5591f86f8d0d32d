"""A case across submissions: scores, pictures, surfaces. Of private test sets nothing is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from ctspine_bench.testsets import named
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board, settings
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views.cases import pictures
from ctspine_leaderboard.views.cases.finding import (
    LISTED,
    NO_TABLES,
    PRIVATE,
    cases_data,
    cases_table,
    found_cases,
)
from ctspine_leaderboard.views.cases.planes import AXES, VIEWS, slices
from ctspine_leaderboard.views.cases.scores import case_view, vertebra_view
from ctspine_leaderboard.views.cases.sources import EMPTY_REFERENCE, case_sources, with_predictions
from ctspine_leaderboard.views.cases.surfaces import SPECKS, SURFACES, surface_views
from ctspine_leaderboard.views.names import distinct_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.board import Board, Entry
    from ctspine_leaderboard.views.cases.finding import FoundCase
    from ctspine_leaderboard.views.cases.scores import CaseView
    from ctspine_leaderboard.views.cases.sources import CaseSources
    from ctspine_leaderboard.volumes.parts import Reference

MOST: Final = 4
"""How many submissions stand side by side."""

_SHOWN: Final = 2
_LAST: Final = "cases-slices-of"


def show() -> None:
    """Show the page."""
    board = current_board()
    frame.heading("Cases", "One case across all submissions: scores, missed and spurious vertebrae, pictures.")
    frame.board_notices(board)
    left, right = st.columns([1, 2])
    with left:
        test_set = state.choose("set", "Test set", test_sets.options(board), _default_set(board))
    if named(test_set).private:
        frame.words(PRIVATE)
        return
    with st.spinner("Reading the case tables …"):
        found = found_cases(board, test_set)
    if not found:
        frame.words(NO_TABLES)
        return
    with right:
        options = {case.case_id: case.title for case in found}
        hint = "The hardest first. Type a part of an id or a source to find one."
        case_id = state.choose("case", "Case", options, found[0].case_id, hint=hint)
    view = case_view(board, test_set, case_id)
    if view is not None:
        frame.words(*view.sentences())
        frame.show(pictures.stylesheet() + view.table)
        _offer_case(view)
        _look_closer(board, view)
    _all_cases(found, test_set)


def _default_set(board: Board) -> str:
    """Return the first test set that has cases to show, else the first that may have."""
    public = [each.name for each in board.test_sets if not each.private]
    return next((name for name in public if found_cases(board, name)), (public or [board.test_sets[0].name])[0])


def _offer_case(view: CaseView) -> None:
    frame.offer(
        view.data(),
        {"page": "cases", "test_set": view.test_set.name, "case_id": view.case_id},
        downloads.file_name("case", view.test_set.name, view.case_id),
        caption=f"Submissions on the case {view.case_id}.",
        latex=view.paper_table(),
        digits={"HD95 (mm)": 2},
    )


def _look_closer(board: Board, view: CaseView) -> None:
    """Show some submissions side by side."""
    frame.subheading("Side by side")
    entries = {row.entry.slug: row.entry for row in view.rows}
    names = distinct_names(entries.values())
    at_hand = with_predictions(board, settings(), view.test_set, view.slugs)
    left, right = st.columns([2, 1])
    with left:
        slugs = state.choose_several("ids", "Submissions", names, (at_hand or list(names))[:_SHOWN], most=MOST)
    with right:
        kind = state.choose("view", "View", VIEWS, "spine")
    chosen = [entries[slug] for slug in slugs]
    with st.spinner("Reading the volumes …"):
        sources = case_sources(settings(), view.test_set, view.case_id, chosen)
    if sources.reference is not None:
        _pictures(sources, sources.reference, {slug: names[slug] for slug in slugs}, kind, view.case_id)
    frame.words(*sources.sentences)
    _vertebrae(board, view, chosen)


def _pictures(sources: CaseSources, reference: Reference, names: dict[str, str], kind: str, case_id: str) -> None:
    if not reference.part.voxels.any():
        frame.words(EMPTY_REFERENCE)
    elif kind == "surface":
        _surfaces(sources, names)
    else:
        number = _slice(reference, kind, case_id) if kind in AXES else None
        frame.show(pictures.panels(sources, names, kind, number))


def _surfaces(sources: CaseSources, names: dict[str, str]) -> None:
    """Show the reference and the first of the chosen predictions in space."""
    for place, shown in zip(st.columns(2), surface_views(sources, names), strict=False):
        with place:
            if shown.figure is None:
                frame.words(f"{shown.title}: {SPECKS}")
            else:
                frame.figure(shown.figure, f"{shown.title}. {SURFACES}", key=f"surfaces-{shown.key}")


def _slice(reference: Reference, kind: str, case_id: str) -> int:
    numbers, middle = slices(reference.part, kind)
    # Slice 60 of one axis or case is nothing on another.
    if st.session_state.setdefault(_LAST, (kind, case_id)) != (kind, case_id):
        state.forget("slice")
        st.session_state[_LAST] = (kind, case_id)
    return state.slide("slice", f"Slice, {numbers[0]} to {numbers[-1]}", numbers, middle)


def _vertebrae(board: Board, view: CaseView, chosen: Sequence[Entry]) -> None:
    found = vertebra_view(board, view.test_set.name, view.case_id, chosen)
    if found is None:
        return
    frame.subheading("Vertebra by vertebra")
    frame.show(found.table())
    frame.offer(
        found.data(),
        {"page": "cases", "test_set": view.test_set.name, "case_id": view.case_id, "of": "vertebrae"},
        downloads.file_name("vertebrae", view.test_set.name, view.case_id),
        caption=f"Vertebrae of the case {view.case_id}.",
        digits={"hd95_mm": 2},
    )


def _all_cases(found: Sequence[FoundCase], test_set: str) -> None:
    n_submissions = max(case.n_submissions for case in found)
    more = f"The {LISTED} hardest of {len(found)}; the files have all. " if len(found) > LISTED else ""
    frame.subheading(
        "All cases" if len(found) <= LISTED else "The hardest cases",
        f"{more}By the mean DSC of {n_submissions} submission{'' if n_submissions == 1 else 's'}.",
    )
    frame.show(cases_table(found, test_set))
    frame.offer(
        cases_data(found),
        {"page": "cases", "test_set": test_set},
        downloads.file_name("cases", test_set),
        caption=f"Cases of the test set {named(test_set).title}.",
    )
