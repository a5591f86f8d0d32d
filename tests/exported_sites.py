"""Exports of boards, and their pages taken apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import pytest

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_bench.board.document import standings_document
from ctspine_bench.board.private import private_standings
from ctspine_bench.hosting.store import PrivateStore
from ctspine_leaderboard.export import write_site
from ctspine_leaderboard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATED: Final = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

_LOADED: Final = {"script": "src", "img": "src", "link": "href", "iframe": "src", "object": "data", "source": "src"}


class Page(HTMLParser):
    """A page taken apart.

    Attributes:
        tags: Its elements with their attributes, from the top down.
        text: What people read, in one.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.figures: dict[str, dict[str, Any]] = {}
        self._words: list[str] = []
        self._inside: tuple[str, dict[str, str]] = ("", {})
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in {"script", "style"}:
            self._inside = self.tags[-1]

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or style sheet."""
        if tag == self._inside[0]:
            self._inside = ("", {})

    def handle_data(self, data: str) -> None:
        """Keep the data of a figure, or what people read."""
        tag, attributes = self._inside
        if "data-figure" in attributes:
            self.figures[attributes["data-figure"]] = json.loads(data)
        elif not tag:
            self._words.append(data)

    def links(self) -> list[str]:
        """Where its links lead."""
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]

    def loaded(self) -> list[str]:
        """What a browser fetches for it."""
        return [attributes[_LOADED[tag]] for tag, attributes in self.tags if attributes.get(_LOADED.get(tag, ""))]

    def file(self, address: str) -> Path:
        """The file that a relative address means."""
        return (self.path.parent / unquote(urlsplit(address).path)).resolve()


@dataclass
class Site:
    """An export."""

    folder: Path
    board: Board
    pages: dict[str, Page] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pages = {path.relative_to(self.folder).as_posix(): Page(path) for path in self.folder.rglob("*.html")}

    def files(self) -> dict[str, bytes]:
        """Path → content of all its files."""
        there = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in there}


def board_with_private(folder: Path, cache: Path) -> Board:
    """The board of a folder as `make_board` writes it, with the organizers' standings of its private store."""
    board = Board(folder / "submissions", cache=Cache(cache))
    document = standings_document(board.with_private(private_standings(board, PrivateStore(folder / "private-store"))))
    path = cache.parent / "standings.json"
    path.write_text(json.dumps(document))
    return Board(folder / "submissions", path, Cache(cache))


def export(board: Board, folder: Path, base_url: str = "", settings: Settings | None = None) -> Site:
    """Write a board to a folder and take it apart."""
    write_site(board, settings or Settings(board.folder), folder, CREATED, base_url=base_url)
    return Site(folder, board)


@pytest.fixture(scope="session")
def exported(made_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The made board with private standings as static files; to be read, not written."""
    place = tmp_path_factory.mktemp("exported")
    return export(board_with_private(made_folder, place / "cache"), place / "site")


def is_outside(address: str) -> bool:
    """Whether an address leads away from the export."""
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def all_addresses(site: Site) -> Iterator[tuple[Page, str]]:
    """Every link and everything loaded, of all pages."""
    for page in site.pages.values():
        for address in (*page.links(), *page.loaded()):
            yield page, address
