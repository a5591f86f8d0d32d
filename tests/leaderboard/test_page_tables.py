"""Tables for people: everything from a record is escaped, rows and columns go together."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from ctspine_leaderboard.tables import Cell, Column, Row, badge, picture, stylesheet, table

HOSTILE = """<script>alert(1)</script>"' onmouseover='x & y"""


class _Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def elements(html: str) -> _Elements:
    return _Elements(html)


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    """Captions, headings, cells, details, hints, badges and links are escaped: no element comes of it."""
    cell = Cell(HOSTILE, HOSTILE, "page?id=" + HOSTILE, (HOSTILE,), hint=HOSTILE)
    found = elements(table([Column(HOSTILE, HOSTILE, hint=HOSTILE)], [Row((cell,)), Row(heading=HOSTILE)], HOSTILE))
    assert {tag for tag, _ in found.tags} == {
        "div", "table", "caption", "thead", "tbody", "tr", "th", "span", "a",
    }  # fmt: skip
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert found.text.count(HOSTILE) == 7, "caption, title, note, link, badge, detail, section"


def test_a_table_has_its_rows_in_order_and_a_name() -> None:
    """Each row holds its cells in the order of the columns; the first is its heading; the caption names the region."""
    columns = [Column("Submission", align="left"), Column("DSC", "↑ better")]
    found = elements(table(columns, [Row((Cell("a"), Cell("0.9", "0.8 – 1.0"))), Row((Cell("b"), Cell("0.7")))], "Two"))
    assert found.text == ["Two", "Submission", "DSC", "↑ better", "a", "0.9", "0.8 – 1.0", "b", "0.7"]
    assert [attributes["scope"] for tag, attributes in found.tags if tag == "th"] == ["col", "col", "row", "row"]
    region = found.tags[0][1]
    assert (region["role"], region["aria-label"], region["tabindex"]) == ("region", "Two", "0")


def test_a_row_with_a_cell_too_many_is_refused() -> None:
    """A row that does not fit the columns is an error, not a shifted table."""
    with pytest.raises(ValueError, match="zip"):
        table([Column("One")], [Row((Cell("a"), Cell("b")))], "Caption")


def test_a_heading_spans_the_columns() -> None:
    """A section heading takes the whole width."""
    found = elements(table([Column("a"), Column("b"), Column("c")], [Row(heading="Not ranked")], "Caption"))
    assert ("th", {"colspan": "3", "scope": "colgroup"}) in found.tags


def test_own_drawings_go_in_as_they_are_and_pictures_have_words() -> None:
    """A picture is an image of data with an alternative text; nothing in it can leave its attribute."""
    drawn = picture('<svg xmlns="http://www.w3.org/2000/svg"><title>"&</title></svg>', HOSTILE, 130, 26)
    found = elements(table([Column("Curve")], [Row((Cell(drawing=drawn),))], "Caption"))
    ((_, image),) = [item for item in found.tags if item[0] == "img"]
    assert image["alt"] == HOSTILE
    assert str(image["src"]).startswith("data:image/svg+xml,%3Csvg%20xmlns%3D%22")
    assert isinstance(badge("x"), Markup)


def test_the_sheet_has_no_colour_that_one_theme_alone_can_read() -> None:
    """Text takes its colour from the page: the sheet sets no text colour but `inherit`."""
    assert "color: inherit" in stylesheet()
    assert "\n  color: #" not in stylesheet().replace("background", "")
