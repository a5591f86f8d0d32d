"""Records that want to be more than text: in pages, files, feed and badges they stay what they are."""

from __future__ import annotations

import csv
import dataclasses
import io
import shutil
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
from board_records import change_cases, change_results
from exported_sites import Site, all_addresses, export, is_outside
from made_boards import Quality, make_board

from ctspine_bench.board import Board
from ctspine_bench.board.cache import Cache

if TYPE_CHECKING:
    import pandas as pd

SCRIPT: Final = "<script>alert(1)</script>"
CLOSING: Final = "\"'></title></script></noscript><img src=x onerror=alert(2)>]]>"
FORMULA: Final = "=HYPERLINK(1)"
FOLDER: Final = "<img src=x onerror=alert(3)>"
MARKDOWN: Final = "[x](javascript:alert(4))"


def renamed_cases(cases: pd.DataFrame) -> pd.DataFrame:
    """The first public case has a name that is markup, the next one that is a formula."""
    names = dict(zip(["made-public-000", "made-public-001"], [f"{SCRIPT}{CLOSING}", FORMULA], strict=True))
    return cases.assign(case_id=cases["case_id"].replace(names), source=cases["source"].replace("COLONOG", SCRIPT))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The export of a board on which everything that is text is hostile, names and descriptions against the schema."""
    folder = tmp_path_factory.mktemp("hostile")
    make_board(folder, {"evil": Quality(0.2, shifted=0.3), "good": Quality()}, n_cases=10)
    for slug in ("evil", "good"):
        change_cases(folder / "submissions" / slug, renamed_cases)
    change_results(
        folder / "submissions" / "evil",
        lambda results: (
            results["provenance"].update(command=f"{SCRIPT}{CLOSING}", version=f"{FORMULA}{SCRIPT}"),
            results["submission"].update(same_predictions_as=[f"{SCRIPT}", "../../good"]),
        ),
    )
    (folder / "submissions" / FOLDER).mkdir()
    shutil.copytree(folder / "submissions" / "good", folder / "submissions" / "a..%2f..%2fescape")
    board = Board(folder / "submissions", cache=Cache(folder / "cache"))
    for loaded in board._loaded.values():
        entry = loaded.entry
        if entry.slug == "evil" and entry.declaration:
            declaration = entry.declaration.model_copy(
                update={
                    "name": f"{FORMULA}{SCRIPT}{CLOSING}",
                    "team": f"@{SCRIPT}{MARKDOWN}",
                    "description": f"{CLOSING}{MARKDOWN}",
                    "licence": CLOSING,
                    "paper": "javascript:alert(5)",
                    "contact": f"https://example.org/{CLOSING}",
                }
            )
            loaded.entry = dataclasses.replace(entry, declaration=declaration)
    board.entries = tuple(loaded.entry for loaded in board._loaded.values())
    return export(board, folder / "site", base_url="https://example.org/board/")


def test_hostile_text_is_there_as_text(site: Site) -> None:
    """What is checked below has come through: names, commands, cases and folders are read on the pages."""
    page = site.pages["submissions/evil/index.html"]
    assert f"{FORMULA}{SCRIPT}{CLOSING}" in page.text
    assert f"@{SCRIPT}{MARKDOWN}" in page.text
    assert FOLDER in site.pages["index.html"].text
    assert "alert(1)" in "".join(str(figure) for figure in page.figures.values())


def test_no_text_becomes_an_element(site: Site) -> None:
    """Pages have only the scripts and pictures of the export, no handler, and no link that runs something."""
    for page in site.pages.values():
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")]
            if tag == "script":
                assert attributes.get("src", "").endswith(("site.js", "plotly.min.js")) or "data-figure" in attributes
            if tag == "img":
                source = attributes["src"]
                assert source.startswith("data:image/") or page.file(source).suffix == ".svg"
        assert len([tag for tag, _ in page.tags if tag == "title"]) == 1
        for address in page.links():
            assert not is_outside(address) or address.startswith("https://")


def test_no_name_leads_out_of_the_folder(site: Site) -> None:
    """Folders of broken records with any name are given another one, and links lead to files within the export."""
    for page, address in all_addresses(site):
        if not is_outside(address) and not address.startswith("#"):
            assert page.file(address).is_relative_to(site.folder.resolve())
            assert page.file(address).is_file()
    names = {name.split("/")[1] for name in site.pages if name.startswith("submissions/")}
    assert {"evil", "good"} < names
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") for name in names)
    assert len(names) == 4
    assert not any(path.name == "escape" for path in site.folder.parent.rglob("escape"))


def test_only_submissions_of_the_board_are_linked(site: Site) -> None:
    """What a record names as the same predictions is shown as text where the board has no such submission."""
    page = site.pages["submissions/evil/index.html"]
    assert "../../good" in page.text
    assert not [address for address in page.links() if "good" in address]


def test_no_formula_in_csv(site: Site) -> None:
    """No cell of any CSV file begins like a formula; numbers may be negative."""
    seen = set()
    for name, content in site.files().items():
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"))) if name.endswith(".csv") else ()
        for cell in (cell for row in rows for cell in row):
            if cell.startswith(("=", "+", "-", "@")):
                float(cell)
            seen.add(cell)
    assert f"'{FORMULA}{SCRIPT}{CLOSING}" in seen
    assert f"'@{SCRIPT}{MARKDOWN}" in seen
    assert f"'{FORMULA}" in seen, "the name of a case"


def test_feed_and_badges_hold_text(site: Site) -> None:
    """Both are well-formed XML, in which the hostile name is text and no element comes of it."""
    feed = ET.fromstring(site.files()["feed.xml"])  # noqa: S314 -- our own file
    titles = [element.text for element in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert f"{FORMULA}{SCRIPT}{CLOSING}" in titles
    assert not [element.tag for element in feed.iter() if not element.tag.startswith("{http://www.w3.org/2005/Atom}")]
    badge = ET.fromstring(site.files()["submissions/evil/badge.svg"])  # noqa: S314
    svg = "{http://www.w3.org/2000/svg}"
    assert {element.tag.removeprefix(svg) for element in badge.iter()} == {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }
    assert f"{FORMULA}{SCRIPT}{CLOSING}" in (badge.findtext(f"{svg}title") or "")
    assert not [name for element in badge.iter() for name in element.attrib if name.startswith("on")]
