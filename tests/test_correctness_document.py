"""docs/CORRECTNESS.md names tests; each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "CORRECTNESS.md"


def references() -> list[tuple[str, str]]:
    """(file, test) for each test named in the document; `::test` alone belongs to the file named last before it."""
    found, file = [], ""
    for named, test in re.findall(r"`((?:\w+/)?\w+\.py)?(?:::(\w+))?`", DOCUMENT.read_text(encoding="utf-8")):
        file = named or file
        if test:
            found.append((file, test))
    return found


def test_every_named_test_exists() -> None:
    """A definition's test can be found under the name that the document gives."""
    missing = [
        f"{file}::{test}"
        for file, test in references()
        if f"def {test}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert missing == []
    assert len(references()) > 80


def test_every_edge_case_of_naming_is_in_the_document() -> None:
    """The tests of naming by hand are the list of its edge cases: each is named beside the definition."""
    source = (TESTS / "metrics" / "test_identification.py").read_text(encoding="utf-8")
    assert set(re.findall(r"^def (test_\w+)", source, re.MULTILINE)) - {test for _, test in references()} == set()
