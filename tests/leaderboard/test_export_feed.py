"""The feed of new submissions is valid Atom (RFC 4287), and tells of a submission once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from board_records import change_results
from exported_sites import CREATED, Site
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache
from ctspine_leaderboard.export.feed import feed

if TYPE_CHECKING:
    from pathlib import Path

ATOM = "{http://www.w3.org/2005/Atom}"
BASE = "https://example.org/board/"


def parsed(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 -- our own file


def text_of(element: ET.Element, name: str) -> str:
    """The text of the only child of a name."""
    (child,) = element.findall(f"{ATOM}{name}")
    return child.text or ""


def check(root: ET.Element) -> None:
    """Check what RFC 4287 asks of a feed and of each entry (sections 4.1.1 and 4.1.2)."""
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):
        assert text_of(element, "id").startswith("urn:uuid:")
        assert text_of(element, "title")
        assert datetime.fromisoformat(text_of(element, "updated")).tzinfo is not None
        (author,) = element.findall(f"{ATOM}author")
        assert text_of(author, "name")
        kinds = [(link.get("rel"), link.get("type")) for link in element.findall(f"{ATOM}link")]
        assert len(kinds) == len(set(kinds)), "no two alternates of one type"
        assert ("alternate", "text/html") in kinds
        assert all(link.get("href") for link in element.findall(f"{ATOM}link"))
    ids = [text_of(element, "id") for element in (root, *entries)]
    assert len(ids) == len(set(ids))
    assert not [element.tag for element in root.iter() if not element.tag.startswith(ATOM)]


@pytest.fixture
def board_folder(tmp_path: Path) -> Path:
    return make_board(tmp_path, {"one": Quality(), "two": Quality()}, n_cases=10)


def scored(folder: Path, slug: str, created: str) -> None:
    """Say when a submission was scored."""
    change_results(folder / "submissions" / slug, lambda results: results["provenance"].update(created=created))


def made(folder: Path, base_url: str = "") -> ET.Element:
    return parsed(feed(Board(folder / "submissions", cache=Cache(None)), base_url, CREATED))


def test_the_exported_feed_is_valid_and_its_links_lead_to_pages(exported: Site) -> None:
    """Every entry has what the standard asks for; relative links are files of the export."""
    root = parsed(exported.files()["feed.xml"])
    check(root)
    entries = root.findall(f"{ATOM}entry")
    assert {text_of(entry, "title") for entry in entries} == {"alpha", "beta", "gamma", "delta"}
    for link in root.iter(f"{ATOM}link"):
        assert (exported.folder / link.attrib["href"]).is_file()
    assert not [link for link in root.iter(f"{ATOM}link") if link.get("rel") == "self"]


def test_the_newest_comes_first(board_folder: Path) -> None:
    """Entries are ordered by when they were scored, and the feed is as new as its newest entry, in UTC."""
    scored(board_folder, "one", "2026-02-01T12:00:00+02:00")
    scored(board_folder, "two", "2026-01-31T00:00:00")
    root = made(board_folder)
    check(root)
    entries = root.findall(f"{ATOM}entry")
    assert [text_of(entry, "title") for entry in entries] == ["one", "two"]
    assert text_of(entries[1], "updated") == "2026-01-31T00:00:00Z"
    assert text_of(entries[0], "updated") == text_of(root, "updated") == "2026-02-01T10:00:00Z"


def test_with_an_address_links_are_whole(board_folder: Path) -> None:
    """Readers that load the feed from elsewhere find the pages, and the feed names itself."""
    root = made(board_folder, BASE)
    check(root)
    addresses = {link.attrib["href"] for link in root.iter(f"{ATOM}link")}
    assert addresses == {
        f"{BASE}index.html",
        f"{BASE}feed.xml",
        f"{BASE}submissions/one/index.html",
        f"{BASE}submissions/two/index.html",
    }


def test_identities_last(board_folder: Path) -> None:
    """Scored again, a submission keeps its id and is newer; on another board it has another id."""

    def of_one(root: ET.Element) -> tuple[str, str]:
        (entry,) = (each for each in root.findall(f"{ATOM}entry") if text_of(each, "title") == "one")
        return text_of(entry, "id"), text_of(entry, "updated")

    scored(board_folder, "one", "2026-02-01T12:00:00+00:00")
    before = of_one(made(board_folder, BASE))
    scored(board_folder, "one", "2026-02-02T12:00:00+00:00")
    after = of_one(made(board_folder, BASE))
    assert before[0] == after[0]
    assert before[1] < after[1]
    assert of_one(made(board_folder))[0] != before[0]


@pytest.mark.parametrize("created", ["", "yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01"])
def test_without_a_date_of_scoring_the_declared_day_counts(board_folder: Path, created: str) -> None:
    """A record may say anything about when it was scored: the feed stays valid."""
    scored(board_folder, "one", created)
    root = made(board_folder)
    check(root)
    (entry,) = (each for each in root.findall(f"{ATOM}entry") if text_of(each, "title") == "one")
    assert text_of(entry, "updated") == text_of(entry, "published")
    assert text_of(entry, "published").endswith("T00:00:00Z")


def test_a_broken_record_is_no_news(board_folder: Path) -> None:
    """What cannot be read is not announced; without any submission the feed is valid and as old as the export."""
    (board_folder / "submissions" / "one" / "results.json").write_text("{")
    assert [text_of(entry, "title") for entry in made(board_folder).findall(f"{ATOM}entry")] == ["two"]
    (board_folder / "submissions" / "two" / "submission.yaml").write_text("[")
    root = made(board_folder)
    check(root)
    assert root.findall(f"{ATOM}entry") == []
    assert text_of(root, "updated") == "2026-03-04T05:06:07Z"
