"""Addresses of pages, relative to where the leaderboard is served."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable

    Link = Callable[[str], str]
    """Slug → the address of the page of that submission."""


def address(page: str, **state: str) -> str:
    """Return the address of a page of the app in some state."""
    query = urlencode({key: value for key, value in state.items() if value})
    return f"{page}?{query}" if query else page


def submission_link(slug: str) -> str:
    """Return the address of the page of a submission in the app."""
    return address("submission", id=slug)
