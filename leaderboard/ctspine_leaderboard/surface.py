"""What parts of pages are put on: `frame` is the app's, a `Sheet` becomes a file of the export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import plotly.graph_objects as go
    from markupsafe import Markup


class Surface(Protocol):
    """A page from the top down; text is escaped by whoever shows it."""

    def subheading(self, text: str, intro: str = "") -> None:
        """Write the heading of a part of the page."""

    def words(self, *sentences: str) -> None:
        """Write sentences as a paragraph each; empty ones are left out."""

    def notice(self, text: str) -> None:
        """Tell a visitor something that they have to know, below the heading of the page."""

    def show(self, markup: Markup) -> None:
        """Show a table or a drawing of this package."""

    def quote(self, text: str) -> None:
        """Show a text to be copied as it is."""

    def figure(self, drawn: go.Figure, what: str, *, key: str) -> Any:
        """Show a figure over a line that says what it shows; `key` is its name on the page."""

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
        """Offer a table as files; see `frame.offer`."""
