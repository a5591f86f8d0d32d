"""An Atom feed of new submissions (RFC 4287)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from ctspine_leaderboard.export.addresses import FEED, HOME, submission_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board
    from ctspine_bench.submissions.declaration import Declaration

_MOST: Final = 50
_TITLE: Final = "CTSpine1K leaderboard: new submissions"


def feed(board: Board, base_url: str, created: datetime) -> bytes:
    """Return the feed: the submissions that were scored last, the newest first; broken records are left out.

    Args:
        board: The board.
        base_url: Where the export will be found, with a slash at its end; empty for relative links.
        created: The state of a feed without entries.
    """
    # Identities stay when a submission is scored again; those of another board are others.
    identity = uuid5(NAMESPACE_URL, base_url or "ctspine-bench leaderboard")
    news = [_News.of(entry.slug, entry.declaration, entry.results) for entry in board.entries if entry.declaration]
    newest = sorted(news, key=lambda each: (-each.updated.timestamp(), each.slug))[:_MOST]
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    _add(root, "id", identity.urn)
    _add(root, "title", _TITLE)
    _add(root, "updated", _written(newest[0].updated if newest else created))
    _add(_add(root, "author"), "name", "CTSpine1K leaderboard")
    _add(root, "link", rel="alternate", type="text/html", href=f"{base_url}{HOME}")
    if base_url:
        _add(root, "link", rel="self", type="application/atom+xml", href=f"{base_url}{FEED}")
    for each in newest:
        _entry(root, each, uuid5(identity, each.slug).urn, f"{base_url}{submission_page(each.slug)}")
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


@dataclass(frozen=True)
class _News:
    """A submission as the feed tells of it."""

    slug: str
    declaration: Declaration
    updated: datetime

    @classmethod
    def of(cls, slug: str, declaration: Declaration, results: Mapping[str, Any] | None) -> _News:
        """Tell of a submission when it was scored, or if it was not, on the day that it declares."""
        try:
            created = datetime.fromisoformat((results or {})["provenance"]["created"])
            scored = (created if created.tzinfo else created.replace(tzinfo=UTC)).astimezone(UTC)
        except (LookupError, ValueError, OverflowError):
            scored = _start(declaration)
        return cls(slug, declaration, scored)


def _entry(root: ET.Element, news: _News, identity: str, address: str) -> None:
    found = _add(root, "entry")
    _add(found, "id", identity)
    _add(found, "title", news.declaration.name)
    _add(found, "updated", _written(news.updated))
    _add(found, "published", _written(_start(news.declaration)))
    _add(_add(found, "author"), "name", news.declaration.team)
    _add(found, "link", rel="alternate", type="text/html", href=address)
    _add(found, "summary", news.declaration.description)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, name, attributes)
    child.text = text
    return child


def _start(declaration: Declaration) -> datetime:
    return datetime.combine(declaration.date, time(), UTC)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
