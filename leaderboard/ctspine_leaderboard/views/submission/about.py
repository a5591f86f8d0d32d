"""What the people who submitted declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

from ctspine_bench.testsets import named
from ctspine_leaderboard.facts import digest, facts, lines, outside
from ctspine_leaderboard.views.test_sets import full_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Entry
    from ctspine_bench.submissions.declaration import Archive, Declaration

_KINDS: Final[Mapping[str, str]] = {
    "scored": "Predictions that the organizers have scored, or will",
    "published": "Numbers quoted from a publication: not scored by this benchmark",
    "baseline": "Trained and scored by the organizers, with a recipe of this repository",
    "simulated": "Made and scored by the demo: no method",
}
_UNITS: Final = ("bytes", "kB", "MB", "GB")


def about_facts(entry: Entry) -> Markup | None:
    """Return what was declared; `None` if that cannot be read."""
    declared = entry.declaration
    if declared is None:
        return None
    rows: list[tuple[str, str | Markup]] = [
        ("Team", declared.team),
        ("Date", declared.date.isoformat()),
        ("What this is", _KINDS[declared.kind]),
        ("Quoted from", declared.source or ""),
        ("Method", _paragraphs(declared.description)),
        *_training(declared),
        ("Coverage", _coverage(declared)),
        ("Paper", outside(declared.paper)),
        ("Code", outside(declared.code)),
        ("Licence of the predictions" if declared.kind != "published" else "Licence", declared.licence),
        ("Contact", outside(declared.contact)),
        *((f"Archive, {full_title(named(name))}", _archive(each)) for name, each in declared.test_sets.items()),
    ]
    return facts(rows, f"What was declared about {entry.name}")


def _training(declared: Declaration) -> list[tuple[str, str | Markup]]:
    training = declared.training
    return [
        ("Trained on", lines(map(escape, training.data))),
        ("Learned from VerSe", _yes_or_no(training.uses_verse)),
        ("Learned from test cases", _yes_or_no(training.uses_test_cases)),
        ("About the training", _paragraphs(training.comment or "")),
    ]


def _yes_or_no(flag: bool) -> str:
    return "Yes, as declared" if flag else "No, as declared"


def _coverage(declared: Declaration) -> str:
    if declared.coverage == "complete":
        return "Complete, as declared"
    return f"Partial, as declared: {declared.coverage_reason}"


def _archive(archive: Archive) -> Markup:
    return lines([outside(archive.url, archive.file_name), escape(_size(archive.size)), _sha256(archive.sha256)])


def _sha256(value: str) -> Markup:
    return Markup("SHA-256 {}").format(digest(value))


def _size(n_bytes: int) -> str:
    """Return a size in units of a thousand: 1.23 GB."""
    size, unit = float(n_bytes), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.{2 if unit else 0}f} {_UNITS[unit]}"


def _paragraphs(text: str) -> Markup:
    return lines(escape(line) for line in text.split("\n"))
