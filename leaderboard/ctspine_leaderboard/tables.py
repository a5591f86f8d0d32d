"""Tables for people, as HTML: for the app and for the static export.

Every text is escaped here. Only what this package draws itself (`Markup`) goes in as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Sequence


_CELL: Final = Markup('<td class="{classes}"{hint}>{text}{drawing}{badges}{detail}</td>')
_STICKY_CELL: Final = Markup('<th scope="row" class="{classes}"{hint}>{text}{drawing}{badges}{detail}</th>')


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: Its heading.
        note: A second line of the heading: unit, direction of better.
        align: Numbers stand at the right, words at the left.
        hint: What hovering over the heading tells.
        wide: Whether it may take what room is left.
    """

    title: str
    note: str = ""
    align: Literal["left", "right", "centre"] = "right"
    hint: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: What it says.
        detail: A second line, smaller.
        link: Where the text leads: an address of this site, or an https address that was checked.
        badges: Short remarks, as labels.
        drawing: Something this package has drawn.
        hint: What hovering tells.
    """

    text: str = ""
    detail: str = ""
    link: str | None = None
    badges: tuple[str, ...] = ()
    drawing: Markup | None = None
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A row; `heading` alone makes it a heading over those that follow."""

    cells: tuple[Cell, ...] = ()
    heading: str = ""
    muted: bool = False


def table(columns: Sequence[Column], rows: Sequence[Row], caption: str, *, sticky: int = 1) -> Markup:
    """Return a table.

    Args:
        columns: Its columns.
        rows: Its rows.
        caption: What it shows, for those who do not see it.
        sticky: How many columns stay in view when a narrow screen is scrolled sideways: the one with this number does.
    """
    head = Markup("").join(_heading(column, place == sticky - 1) for place, column in enumerate(columns))
    body = Markup("").join(_row(row, columns, sticky) for row in rows)
    return Markup(
        '<div class="cb-scroll" tabindex="0" role="region" aria-label="{caption}"><table class="cb-table">'
        "<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    ).format(caption=caption, head=head, body=body)


@cache
def stylesheet() -> str:
    """Return the looks of tables and of what else this package writes as HTML; made for light and dark pages."""
    return files("ctspine_leaderboard").joinpath("tables.css").read_text("utf-8")


def picture(svg: str, what: str, width: int, height: int) -> Markup:
    """Return a drawing as a picture: Streamlit lets no inline SVG through.

    Args:
        svg: The drawing, in colours that do on light and dark pages.
        what: What it shows, for those who do not see it.
        width: In pixels.
        height: In pixels.
    """
    return Markup('<img class="cb-picture" alt="{}" width="{}" height="{}" src="data:image/svg+xml,{}">').format(
        what, width, height, quote(svg)
    )


def folded(title: str, content: Markup, notes: Sequence[str]) -> Markup:
    """Return something that is shown when its title is clicked."""
    below = Markup("").join(Markup("<p>{}</p>").format(note) for note in notes)
    return Markup('<details class="cb-more"><summary>{}</summary>{}<div class="cb-text">{}</div></details>').format(
        title, content, below
    )


def badge(text: str) -> Markup:
    """Return a short remark as a label."""
    return Markup('<span class="cb-badge">{}</span>').format(text)


def _heading(column: Column, sticky: bool) -> Markup:
    note = Markup('<span class="cb-note">{}</span>').format(column.note) if column.note else ""
    return Markup('<th scope="col" class="{classes}"{hint}>{title}{note}</th>').format(
        classes=_classes(column, sticky), hint=_hint(column.hint), title=column.title, note=note
    )


def _row(row: Row, columns: Sequence[Column], sticky: int) -> Markup:
    if row.heading:
        return Markup('<tr class="cb-section"><th colspan="{n}" scope="colgroup">{text}</th></tr>').format(
            n=len(columns), text=row.heading
        )
    cells = Markup("").join(
        _cell(cell, column, place == sticky - 1)
        for place, (cell, column) in enumerate(zip(row.cells, columns, strict=True))
    )
    return Markup('<tr class="{}">{}</tr>').format("cb-muted" if row.muted else "", cells)


def _cell(cell: Cell, column: Column, sticky: bool) -> Markup:
    text = escape(cell.text)
    if cell.link:
        text = Markup('<a href="{}" target="_self">{}</a>').format(cell.link, cell.text)
    detail = Markup('<span class="cb-detail">{}</span>').format(cell.detail) if cell.detail else ""
    badges = Markup("").join(badge(text) for text in cell.badges)
    return (_STICKY_CELL if sticky else _CELL).format(
        classes=_classes(column, sticky),
        hint=_hint(cell.hint),
        text=text,
        drawing=cell.drawing or "",
        detail=detail,
        badges=badges,
    )


def _classes(column: Column, sticky: bool) -> str:
    return f"cb-{column.align}" + (" cb-sticky" if sticky else "") + (" cb-wide" if column.wide else "")


def _hint(text: str) -> Markup:
    return Markup(' title="{}"').format(text) if text else Markup("")
