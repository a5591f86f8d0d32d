"""A page of the export in the making. It takes what the pages of the app give to `frame`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from ctspine_leaderboard import downloads
from ctspine_leaderboard.export.addresses import relative

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Subheading:
    """The heading of a part of a page."""

    kind: ClassVar = "subheading"
    text: str
    intro: str


@dataclass(frozen=True)
class Words:
    """A paragraph for each sentence."""

    kind: ClassVar = "words"
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A table or a drawing of this package."""

    kind: ClassVar = "shown"
    markup: Markup


@dataclass(frozen=True)
class Quote:
    """A text to be copied as it is."""

    kind: ClassVar = "quote"
    text: str


@dataclass(frozen=True)
class Figure:
    """A figure over a line that says what it shows."""

    kind: ClassVar = "figure"
    key: str
    drawn: go.Figure
    what: str

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return int(self.drawn.layout.height)

    @property
    def min_width(self) -> int:
        """Narrower pages have to scroll it, in pixels."""
        return int((self.drawn.layout.meta or {}).get("min_width") or 0)

    @property
    def json(self) -> Markup:
        """The figure for a script element, which no text in it can close."""
        return Markup(self.drawn.to_json().replace("<", "\\u003c"))  # noqa: S704 -- JSON without a "<"


@dataclass(frozen=True)
class Files:
    """Files with the numbers behind what is shown: title → address from the page."""

    kind: ClassVar = "files"
    about: str
    links: Mapping[str, str]


Block = Subheading | Words | Shown | Quote | Figure | Files


@dataclass
class Sheet:
    """A page of the export.

    Attributes:
        path: Where it will be in the export.
        title: Its heading.
        intro: A sentence or two about what it shows.
        tab: Title of the page in the menu that it belongs to; empty for none.
        test_set: The test set that it is about.
        sets: Test set → the page that is about it instead.
        folder: Where in the export its files are; by default in a folder of its name.
        notices: What a visitor has to know first.
        blocks: What follows, from the top down.
        files: Path in the export → content of a file beside the page.
    """

    path: str
    title: str
    intro: str = ""
    tab: str = ""
    test_set: str = ""
    sets: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    notices: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def has_figures(self) -> bool:
        """Whether there is anything to draw."""
        return any(isinstance(block, Figure) for block in self.blocks)

    def subheading(self, text: str, intro: str = "") -> None:
        """Write the heading of a part of the page."""
        self.blocks.append(Subheading(text, intro))

    def words(self, *sentences: str) -> None:
        """Write sentences as a paragraph each; empty ones are left out."""
        if there := tuple(filter(None, sentences)):
            self.blocks.append(Words(there))

    def notice(self, text: str) -> None:
        """Tell a visitor something that they have to know, below the heading of the page."""
        self.notices.append(text)

    def show(self, markup: Markup) -> None:
        """Show a table or a drawing of this package."""
        self.blocks.append(Shown(markup))

    def quote(self, text: str) -> None:
        """Show a text to be copied as it is."""
        self.blocks.append(Quote(text))

    def figure(self, drawn: go.Figure, what: str, *, key: str) -> None:
        """Show a figure over a line that says what it shows.

        Args:
            drawn: The figure.
            what: What it shows, in a sentence.
            key: Its name on the page.
        """
        self.blocks.append(Figure(key, drawn, what))

    def offer(
        self,
        table: pd.DataFrame,
        about: Mapping[str, Any],
        name: str,
        *,
        caption: str,
        latex: pd.DataFrame | str | None = None,
        digits: Mapping[str, int] | None = None,
    ) -> None:
        """Offer a table as files beside the page.

        Args:
            table: The numbers behind what is shown.
            about: What the numbers are about, for the JSON file.
            name: Name of the files without the ending.
            caption: Of the LaTeX table.
            latex: What the LaTeX file shows, if that is not all of it, or its content; without columns there is no
                LaTeX file.
            digits: Column → digits behind the point, in LaTeX.
        """
        shown = table if latex is None else latex
        made = {"CSV": ("csv", downloads.as_csv(table)), "JSON": ("json", downloads.as_json(table, about))}
        if isinstance(shown, str):
            made["LaTeX"] = ("tex", f"{shown}\n".encode())
        elif len(shown.columns):
            made["LaTeX"] = ("tex", downloads.as_latex(shown, caption, digits))
        links = {}
        for title, (ending, content) in made.items():
            path = f"{self.folder or self.path.removesuffix('.html')}/{name}.{ending}"
            self.files[path] = content
            links[title] = relative(path, self.path)
        self.blocks.append(Files(caption, links))
