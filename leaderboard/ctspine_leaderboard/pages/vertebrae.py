"""How well each vertebra is segmented by each submission, and what lies behind one of these numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from ctspine_bench.anatomy import VERTEBRAE, vertebra_name
from ctspine_leaderboard import downloads, frame, state
from ctspine_leaderboard.boards import current_board
from ctspine_leaderboard.sections.vertebrae import THE_MAP, offer_map, write_about_map
from ctspine_leaderboard.views import test_sets
from ctspine_leaderboard.views import vertebrae as views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board

_MAP: Final = "vertebrae-map"
_ANSWERED: Final = "vertebrae-click"


def show() -> None:
    """Show the page."""
    board = current_board()
    _answer_click(st.session_state.get(_MAP))
    frame.heading("Vertebrae", "Each submission on each vertebra, from C1 to L6: where it is good, and where it fails.")
    frame.board_notices(board)
    columns = st.columns(3)
    with columns[0]:
        test_set = state.choose("set", "Test set", test_sets.options(board), test_sets.default(board))
    with columns[1]:
        titles = {name: each.title for name, each in views.MEASURES.items()}
        measure = state.choose("metric", "Metric", titles, "dsc")
    view = views.vertebrae_view(board, test_set, measure)
    frame.words(*([view.note] if view.note else []))
    blocks = views.blocks(view.rows)
    shown = next(iter(blocks), "")
    if len(blocks) > 1:
        with columns[2]:
            options = {name: f"{name.replace('-', '–')} of {len(view.rows)}" for name in blocks}
            shown = state.choose("rows", "Submissions shown", options, shown)
    if not view.rows:
        frame.words("There are no values by vertebra to show.", *view.sentences())
        return
    _map_and_cell(board, view, blocks[shown])


def _map_and_cell(board: Board, view: views.VertebraeView, rows: tuple[views.VertebraRow, ...]) -> None:
    """Show the map above the selectors of a cell: which cell is framed is known only once they have answered."""
    above, below = st.container(), st.container()
    with below:
        frame.subheading(
            "Behind one cell",
            "All cases in which a vertebra counts for a submission: in the reference or in its prediction.",
        )
        columns = st.columns(2)
        with columns[0]:
            slug = state.choose("id", "Submission", view.names, view.rows[0].entry.slug)
        with columns[1]:
            names = {name: name for name in VERTEBRAE}
            vertebra = state.choose("label", "Vertebra", names, views.default_label(view))
        entry = next(row.entry for row in view.rows if row.entry.slug == slug)
        _cell(views.cell_view(board, entry, view.test_set, vertebra, view.measure.name))
    with above:
        frame.figure(
            view.figure(rows, (slug, vertebra)),
            f"{THE_MAP} Click on a cell to see what lies behind it.",
            key=_MAP,
            select=True,
        )
        write_about_map(frame, view)
        offer_map(frame, view, rows)


def _cell(cell: views.CellView) -> None:
    frame.words(*cell.sentences())
    figure = cell.figure()
    if figure is not None:
        frame.figure(
            figure,
            f"{cell.vertebra} where it counts: a point for each case, the quartiles, and the mean as a diamond.",
            key="distribution",
        )
    if not cell.cases:
        return
    frame.words(_heading(cell))
    if cell.worst:
        frame.show(cell.table())
    about = {
        "page": "vertebrae",
        "test_set": cell.test_set.name,
        "submission": cell.entry.slug,
        "vertebra": cell.vertebra,
        "metric": cell.measure.name,
    }
    name = downloads.file_name("vertebra", cell.test_set.name, cell.entry.slug, cell.vertebra, cell.measure.name)
    caption = f"{cell.measure.title} of {cell.entry.name} for {cell.vertebra}, case by case."
    frame.offer(cell.data(), about, name, caption=caption, digits={cell.measure.name: cell.measure.digits})


def _heading(cell: views.CellView) -> str:
    if cell.measure.name in views.SHARES:
        return "These are:" if cell.worst else ""
    return "The worst cases:" if cell.worst else "In no case is anything lost."


def _answer_click(event: Any) -> None:
    """Choose the cell that was clicked, once: a click stays known to Streamlit until the map is drawn anew."""
    clicked = clicked_cell(event)
    if clicked and clicked != st.session_state.get(_ANSWERED):
        state.set_choice("id", clicked[0])
        state.set_choice("label", clicked[1])
    st.session_state[_ANSWERED] = clicked


def clicked_cell(event: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """Return slug and vertebra of the cell that a selection in the map is about; `None` without one."""
    points = event["selection"]["points"] if event else []
    if not points:
        return None
    slug, label = points[0]["customdata"]
    return str(slug), vertebra_name(int(label))
