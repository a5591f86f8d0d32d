"""All files of an export: pages, what they need, and what other programs read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Protocol

import jinja2
from plotly.offline import get_plotlyjs

from ctspine_bench import __version__
from ctspine_bench.board.document import standings_document
from ctspine_leaderboard.export import addresses
from ctspine_leaderboard.export.badges import badge
from ctspine_leaderboard.export.feed import feed
from ctspine_leaderboard.export.folders import LISTING, listing, replacing_folder
from ctspine_leaderboard.export.pages.domain_gap import domain_gap_sheet
from ctspine_leaderboard.export.pages.standings import standings_sheet
from ctspine_leaderboard.export.pages.submission import pages_of, submission_sheet
from ctspine_leaderboard.export.pages.vertebrae import vertebrae_sheet
from ctspine_leaderboard.tables import stylesheet
from ctspine_leaderboard.views import test_sets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from ctspine_bench.board import Board
    from ctspine_leaderboard.export.sheet import Sheet
    from ctspine_leaderboard.settings import Settings

_SITE: Final = "CTSpine1K leaderboard"
_TEMPLATES: Final = resources.files("ctspine_leaderboard.export").joinpath("templates")


def write_site(
    board: Board,
    settings: Settings,
    folder: Path,
    created: datetime,
    *,
    base_url: str = "",
    progress: Progress | None = None,
) -> int:
    """Write a board as static files, all or none.

    Args:
        board: The board.
        settings: Where the volumes of cases are, for pictures.
        folder: New, empty or an earlier export.
        created: When; the same board at the same time gives the same files.
        base_url: Where the files will be found, with a slash at its end; empty if that is not known.
        progress: Is told how many pages there are, and of each that is written.

    Returns:
        How many files were written.

    Raises:
        FileError: E_OUTPUT, the folder holds something else.
        OSError: A file cannot be written.
    """
    with replacing_folder(folder) as temporary:
        site = _Site(board, temporary, created)
        pages = list(_pages(board, settings, base_url))
        if progress:
            progress.expect(len(pages))
        for make in pages:
            sheet = make()
            site.page(sheet)
            if progress:
                progress.done(sheet.path)
        for entry in board.entries:
            site.template(addresses.badge_file(entry.slug), "badge.svg.j2", badge=badge(board, entry))
        site.file(addresses.FEED, feed(board, base_url, created))
        site.file(addresses.STANDINGS, _json(standings_document(board) | {"created": created.isoformat()}))
        for name, content in _assets():
            site.file(name, content)
        site.file(LISTING, listing(site.written, {"version": __version__, "created": created.isoformat()}))
        return len(site.written)


class Progress(Protocol):
    """Who wants to know how far it is."""

    def expect(self, total: int) -> None:
        """Hear how many pages there are."""

    def done(self, what: str) -> None:
        """Hear that a page is written."""


def _pages(board: Board, settings: Settings, base_url: str) -> Iterator[Callable[[], Sheet]]:
    """Return what makes each page."""
    yield partial(standings_sheet, board, test_sets.default(board), addresses.HOME)
    for test_set in board.test_sets:
        yield partial(standings_sheet, board, test_set.name, addresses.standings_page(test_set.name))
        yield partial(domain_gap_sheet, board, test_set)
        yield partial(vertebrae_sheet, board, test_set.name)
    for entry in board.entries:
        for path, name in pages_of(board, entry).items():
            yield partial(submission_sheet, board, entry, path, name, settings, base_url)


@dataclass
class _Site:
    """An export being written."""

    board: Board
    folder: Path
    created: datetime
    written: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Everything that is not Markup is escaped: names of submissions are a stranger's text.
        self._environment = jinja2.Environment(
            loader=jinja2.FunctionLoader(_source), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def page(self, sheet: Sheet) -> None:
        """Write a page and the files beside it."""
        self.template(
            sheet.path,
            "page.html.j2",
            sheet=sheet,
            site=_SITE,
            titles=test_sets.options(self.board),
            menu=_menu(sheet.test_set),
            to=lambda path: addresses.relative(path, sheet.path),
            version=__version__,
            created=f"{self.created:%Y-%m-%d %H:%M} UTC",
            notices=(*_notices(self.board), *sheet.notices),
        )
        for path, content in sheet.files.items():
            self.file(path, content)

    def template(self, path: str, template: str, **values: Any) -> None:
        """Write a file from a template."""
        self.file(path, self._environment.get_template(template).render(**values).encode())

    def file(self, path: str, content: bytes) -> None:
        """Write a file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.written.add(path)


def _menu(test_set: str) -> dict[str, str]:
    """Return title → page, of the pages that are about a test set."""
    return {
        "Standings": addresses.standings_page(test_set),
        "Domain gap": addresses.gap_page(test_set),
        "Vertebrae": addresses.vertebrae_page(test_set),
    }


def _notices(board: Board) -> tuple[str, ...]:
    """Return what is the matter with the board as a whole."""
    found = [] if board.entries else ["There is no submission yet."]
    if board.private_problem:
        found.append(f"The organizers' standings of private test sets cannot be used: {board.private_problem}")
    return (*found, *(f"{entry.slug} is left out: {entry.problem}" for entry in board.entries if entry.problem))


def _assets() -> Iterator[tuple[str, bytes]]:
    yield "site.css", (stylesheet() + _pictures() + _source("site.css")).encode()
    yield "site.js", _source("site.js").encode()
    yield "icon.svg", resources.files("ctspine_leaderboard").joinpath("icon.svg").read_bytes()
    yield "plotly.min.js", get_plotlyjs().encode()


def _pictures() -> str:
    """Return the looks of pictures of cases."""
    return resources.files("ctspine_leaderboard.views.cases").joinpath("pictures.css").read_text(encoding="utf-8")


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _source(name: str) -> str:
    return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")
