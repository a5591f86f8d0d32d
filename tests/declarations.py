"""A valid declaration to change one thing of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ctspine_bench.submissions.folder import FileEntry
from ctspine_bench.submissions.reading import check_declaration

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "submissions/spine-net/submission.yaml"


def archive(name: str = "public", **changes: object) -> dict[str, Any]:
    """The fields of one archive; every test set has a digest of its own."""
    digest = (name.encode().hex() * 64)[:64]
    return {"url": f"https://zenodo.org/records/1/files/{name}.tar", "sha256": digest, "size": 1000, **changes}


def fields(**changes: object) -> dict[str, Any]:
    """The fields of a valid declaration; a change to `...` takes the field out."""
    valid: dict[str, Any] = {
        "schema_version": 1,
        "kind": "scored",
        "name": "SpineNet 2",
        "team": "Spine Group",
        "contact": "spine@example.org",
        "owners": ["octocat"],
        "date": "2026-11-20",
        "description": "A network with two stages.",
        "licence": "CC-BY-4.0",
        "training": {"data": ["CTSpine1K training set"], "uses_verse": False, "uses_test_cases": False},
        "coverage": "complete",
        "test_sets": {name: archive(name) for name in ("public", "private", "verse")},
    }
    return {field: value for field, value in (valid | changes).items() if value is not ...}


def text_of(content: Mapping[str, Any]) -> bytes:
    """Fields as YAML, of which JSON is a part; the date stands without quotes."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    date = content.get("date")
    return text.replace(f'"date": "{date}"', f'"date": {date}').encode()


def problems(content: bytes | Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Code, place and what was found, of everything that is wrong with a declaration."""
    declaration, errors = check_declaration(content if isinstance(content, bytes) else text_of(content), PATH)
    assert (declaration is None) == bool(errors)
    return [(error.code, str(error.path).removeprefix(PATH).removeprefix(": "), error.found) for error in errors]


def entry(content: bytes, path: str = PATH, mode: str = "100644") -> FileEntry:
    """A file of a pull request."""
    return FileEntry(path, mode, len(content), lambda: content)
