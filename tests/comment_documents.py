"""Contents of comment.json, and what a comment turns into on a page."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MARKER = re.compile(r"<!-- ctspine-bench: ([a-z0-9-]+) -->")

TEST_SET: dict[str, Any] = {
    "name": "private",
    "n_cases": 198,
    "expected_cases": 198,
    "complete": True,
    "aggregated": True,
    "mean_of_vertebrae": {"dsc": 0.9023, "hd95_mm": 6.307, "hd95_matched_mm": 5.02},
    "mean_of_spine": {"dsc": 0.955, "hd95_mm": 3.2, "hd95_matched_mm": 3.2},
    "per_case_dsc": {"mean": 0.915, "low": 0.902, "high": 0.927},
    "vertebrae": {"matched": 2350, "missed": 60, "spurious": 12},
    "published": {"dsc": 0.84, "hd95_matched_mm": 6.41},
    "rank": {"rank": 3, "low": 2, "high": 5, "n_ranked": 12},
    "refused": [],
    "n_refused": {},
    "n_unnamed": 0,
}
SCORED: dict[str, Any] = {
    "schema_version": 2,
    "kind": "scored",
    "slug": "my-method",
    "commit": COMMIT,
    "name": "My method",
    "team": "Spine group, Example University",
    "paper": "https://example.org/paper",
    "code": None,
    "uses_verse": False,
    "uses_test_cases": False,
    "coverage": "complete",
    "coverage_reason": None,
    "same_predictions_as": [],
    "test_sets": [TEST_SET],
}
PROBLEM: dict[str, Any] = {
    "code": "E_FIELD",
    "path": "submissions/my-method/submission.yaml: licence",
    "expected": "a licence",
    "found": "nothing",
    "advice": "Add the field.",
}
REFUSED: dict[str, Any] = {"base": "f" * 40, "head": COMMIT, "slugs": ["my-method"], "problems": [PROBLEM]}


def changed(document: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a place such as "test_sets.0.rank.low"."""
    result: Any = copy.deepcopy(document)
    *parents, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    part = result
    for parent in parents:
        part = part[parent]
    part[last] = value
    return result


def scored(**changes: Any) -> dict[str, Any]:
    """A valid document with other values at its top."""
    return {**copy.deepcopy(SCORED), **changes}


def test_set(**changes: Any) -> dict[str, Any]:
    """A valid test set with other values."""
    return {**copy.deepcopy(TEST_SET), **changes}


test_set.__test__ = False  # type: ignore[attr-defined]


def written(document: Any, folder: Path) -> Path:
    """The path of a comment.json with this content."""
    path = folder / "comment.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


class Page(HTMLParser):
    """A comment as a page shows it: its elements, and its text inside and outside of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.comments: list[str] = []
        self.code: list[str] = []
        self.prose = ""
        self.n_cells: list[int] = []
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, a span of code, a row or a cell."""
        self.elements.add(tag)
        self.attributes.update(attrs)
        self._open.append(tag)
        if tag == "code":
            self.code.append("")
        if tag == "tr":
            self.n_cells.append(0)
        if tag in {"td", "th"}:
            self.n_cells[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last: no other can end here."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Add text to the code or to the prose."""
        if "code" in self._open:
            self.code[-1] += data
        else:
            self.prose += data

    def handle_comment(self, data: str) -> None:
        """Note an HTML comment."""
        self.comments.append(data)


HARMLESS = {
    "h2", "h3", "p", "ul", "li", "strong", "code", "details", "summary", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def check_tame(markdown: str) -> Page:
    """Assert that a comment holds what a comment may hold: no link, image or script, nobody mentioned, tables whole."""
    page = Page(markdown)
    assert page.elements <= HARMLESS
    assert page.attributes <= {("style", "text-align:right")}
    assert MARKER.match(markdown)
    assert len(page.comments) == 1
    assert not re.search(r"@|://|www\.|#\d|:\w+:|\$|~~|!\[", page.prose)
    assert set(page.n_cells) <= {4}
    assert len(markdown) < 65_536
    assert all(line.isprintable() for line in markdown.split("\n"))
    return page
