"""A badge for each submission: where it stands on the test set that decides, as a small picture for a README."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.board.entries import FLAGS
from ctspine_bench.rankings.paired import METRICS

if TYPE_CHECKING:
    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet

_LABEL: Final = "CTSpine1K"
_PAD: Final = 6
# Of Verdana and its replacements at 11 pixels: what is narrower and wider than most.
_NARROW: Final = frozenset(" .,:;'|!ijl1·")
_WIDE: Final = frozenset("mwMW%")
_WIDTHS: Final = (4.2, 7.0, 10.0)
_RANKED: Final = "#0072B2"
_OTHERS: Final = "#59616b"


@dataclass(frozen=True)
class Badge:
    """What a badge says.

    Attributes:
        label: Its left part.
        message: Its right part.
        title: Both in words, with the name of the submission.
        colour: Of the right part.
    """

    label: str
    message: str
    title: str
    colour: str

    @property
    def label_width(self) -> int:
        """Width of the left part in pixels."""
        return _width(self.label)

    @property
    def width(self) -> int:
        """Width of both parts in pixels."""
        return self.label_width + _width(self.message)

    @property
    def pad(self) -> int:
        """Room beside a text, in pixels."""
        return _PAD


def badge(board: Board, entry: Entry) -> Badge:
    """Return the badge of a submission."""
    test_set = _deciding(board, entry)
    label = f"{_LABEL} phantom" if test_set is None or test_set.name.startswith("phantom-") else _LABEL
    if test_set is None:
        return Badge(_LABEL, "no result", f"{_LABEL}: {entry.name} has no result", _OTHERS)
    found = board.standings(test_set.name).standings
    row = next((row for row in found.rows if row.slug == entry.slug), None) if found else None
    if found and row:
        dsc = _dsc(row.score)
        place = f"{row.rank} of {len(found.rows)}"
        title = f"{label}: {entry.name}, rank {place}, {dsc} on the test set {test_set.title}"
        return Badge(label, f"#{place} · {dsc}", title, _RANKED)
    dsc = _dsc(entry.on(test_set.name).get("mean_of_vertebrae", {}).get("dsc"))
    why = FLAGS.get(board.status(entry, test_set.name), "not ranked")
    message = ", ".join(filter(None, (dsc, why)))
    return Badge(label, message, f"{label}: {entry.name}, {message} on the test set {test_set.title}", _OTHERS)


def _deciding(board: Board, entry: Entry) -> TestSet | None:
    """Return the private test set that a submission has to do with; if there is none, another one."""
    concerned = [each for each in board.test_sets if board.status(entry, each.name) != "absent"]
    return next((each for each in concerned if each.private), concerned[0] if concerned else None)


def _dsc(value: float | None) -> str:
    return "" if value is None else f"DSC {value:.{METRICS['dsc'].digits}f}"


def _width(text: str) -> int:
    narrow, usual, wide = _WIDTHS
    inked = sum(narrow if each in _NARROW else wide if each in _WIDE else usual for each in text)
    return round(inked) + 2 * _PAD
