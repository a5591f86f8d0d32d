"""What all pages have in common: headings, notices, figures and downloads. Text from records never reaches Markdown."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
from markupsafe import Markup, escape

from ctspine_leaderboard import downloads
from ctspine_leaderboard.tables import stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    import pandas as pd
    import plotly.graph_objects as go

    from ctspine_bench.board import Board

_NOTICES: Final = "notices"
_CAPTION: Final = Markup('<p class="cb-caption">{}</p>')
# What can be scrolled must hold something that keys can reach.
_STAYING_CAPTION: Final = Markup('<p class="cb-caption cb-stays" tabindex="0">{}</p>')
_LATEX: Final = "application/x-tex"
_FIGURE: Final = {"displayModeBar": False, "responsive": True}


def heading(text: str, intro: str = "") -> None:
    """Write the heading of a page and a sentence or two about what it shows."""
    st.html(f"<style>{stylesheet()}</style>")
    lead = Markup('<p class="cb-intro">{}</p>').format(intro) if intro else ""
    st.html(Markup("<h1>{}</h1>{}").format(text, lead))
    st.session_state[_NOTICES] = st.container()


def subheading(text: str, intro: str = "") -> None:
    """Write the heading of a part of a page."""
    lead = Markup('<p class="cb-intro">{}</p>').format(intro) if intro else ""
    st.html(Markup("<h2>{}</h2>{}").format(text, lead))


def words(*sentences: str) -> None:
    """Write sentences as a paragraph each; empty ones are left out."""
    paragraphs = Markup("").join(Markup("<p>{}</p>").format(each) for each in sentences if each)
    if paragraphs:
        st.html(Markup('<div class="cb-text">{}</div>').format(paragraphs))


def notice(text: str) -> None:
    """Tell a visitor something that they have to know, below the heading of the page."""
    place = st.session_state[_NOTICES]
    place.html(Markup('<div class="cb-notice" role="status">{}</div>').format(text))


def show(markup: Markup) -> None:
    """Show a table or a drawing of this package."""
    st.html(markup)


def quote(text: str) -> None:
    """Show a text to be copied as it is."""
    st.code(text, language=None, wrap_lines=True)


def figure(drawn: go.Figure, what: str, *, key: str, select: bool = False) -> Any:
    """Show a figure over a line that says what it shows.

    Args:
        drawn: The figure.
        what: What it shows, in a sentence.
        key: Its name on the page.
        select: Whether clicks on points make the page run again.

    Returns:
        What was clicked, as Streamlit gives it; `None` without `select`.
    """
    min_width = (drawn.layout.meta or {}).get("min_width")
    with _room(key, min_width) if min_width else nullcontext():
        choice = st.plotly_chart(
            drawn, key=key, config=_FIGURE, on_select="rerun" if select else "ignore", selection_mode="points"
        )
        st.html((_STAYING_CAPTION if min_width else _CAPTION).format(what))
    return choice if select else None


def _room(key: str, min_width: int) -> AbstractContextManager[Any]:
    """Return where a figure goes that needs so many pixels: on narrower pages it is scrolled sideways."""
    name = f"room-{key}"
    st.html(
        f"<style>.st-key-{name} {{ overflow-x: auto; }} .st-key-{name} > * {{ min-width: {min_width:d}px; }}</style>"
    )
    return st.container(key=name)


def offer(
    table: pd.DataFrame,
    about: Mapping[str, Any],
    name: str,
    *,
    caption: str,
    latex: pd.DataFrame | str | None = None,
    digits: Mapping[str, int] | None = None,
) -> None:
    """Offer a table as files. They are made when they are asked for.

    Args:
        table: The numbers behind what is shown.
        about: What the numbers are about, for the JSON file.
        name: Name of the files without the ending.
        caption: Of the LaTeX table.
        latex: What the LaTeX file shows, if that is not all of it, or its content; without columns there is no LaTeX
            file.
        digits: Column → digits behind the point, in LaTeX.
    """
    shown = table if latex is None else latex
    with st.container(horizontal=True, horizontal_alignment="left"):
        _button("CSV", lambda: downloads.as_csv(table), f"{name}.csv", "text/csv")
        _button("JSON", lambda: downloads.as_json(table, about), f"{name}.json", "application/json")
        if isinstance(shown, str):
            _button("LaTeX", f"{shown}\n".encode, f"{name}.tex", _LATEX)
        elif len(shown.columns):
            _button("LaTeX", lambda: downloads.as_latex(shown, caption, digits), f"{name}.tex", _LATEX)


def _button(title: str, content: Any, name: str, mime: str) -> None:
    st.download_button(
        title,
        content,
        file_name=name,
        mime=mime,
        on_click="ignore",
        key=f"download-{name}",
        icon=":material/download:",
        help=f"Download what is shown as {escape(name)}",
    )


def board_notices(board: Board) -> None:
    """Tell what is the matter with the board as a whole: it is empty, or something cannot be read."""
    if not board.entries:
        notice("There is no submission yet. The page “Data” says how to submit.")
    if board.private_problem:
        notice(f"The organizers' standings of private test sets cannot be used: {board.private_problem}")
    for entry in board.entries:
        if entry.problem:
            notice(f"{entry.slug} is left out: {entry.problem}")
