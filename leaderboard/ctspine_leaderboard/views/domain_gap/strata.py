"""The scores of submissions within parts of a test set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctspine_bench.board.entries import REASONS
from ctspine_bench.domain_gap import DIMENSIONS, Estimate, Stratum, strata
from ctspine_leaderboard.views.domain_gap.scores import cases_of, origin
from ctspine_leaderboard.views.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctspine_bench.board import Board, Entry
    from ctspine_bench.testsets import TestSet

SOURCE: Final = "source"
WITHIN: Final = tuple(name for name in DIMENSIONS if name != SOURCE)
"""What strata are by, sources apart."""

_KEPT: Final[Kept[tuple[Stratum, ...]]] = Kept(1000)


@dataclass(frozen=True)
class InStratum:
    """The score of a submission within a stratum.

    Attributes:
        entry: The submission.
        test_set: The test set.
        dimension: What strata are by, for people.
        name: Which of them.
        n_cases: How many cases it has; "<5" or `None` if that is not told.
        estimate: The score; without a DSC if that is not told.
    """

    entry: Entry
    test_set: TestSet
    dimension: str
    name: str
    n_cases: int | str | None
    estimate: Estimate


def in_strata(
    board: Board, entries: Sequence[Entry], test_set: TestSet, dimensions: Sequence[str]
) -> tuple[InStratum, ...]:
    """Return the scores of submissions within the strata of a test set; of a private one, what is told by source."""
    found: list[InStratum] = []
    for entry in entries:
        if test_set.private:
            found += _told_sources(board, entry, test_set) if SOURCE in dimensions else []
        else:
            found += [
                InStratum(entry, test_set, DIMENSIONS[each.dimension], each.name, each.estimate.n_cases, each.estimate)
                for each in _strata(board, entry, test_set)
                if each.dimension in dimensions
            ]
    return tuple(found)


def left_out(board: Board, entries: Sequence[Entry], test_set: TestSet) -> tuple[tuple[TestSet, Entry, str], ...]:
    """Return the submissions without strata on a test set, each with the reason."""
    reasons = dict(board.standings(test_set.name).unranked)
    return tuple(
        (test_set, entry, reasons.get(entry) or REASONS[board.status(entry, test_set.name)])
        for entry in entries
        if not in_strata(board, [entry], test_set, (SOURCE,))
    )


def _strata(board: Board, entry: Entry, test_set: TestSet) -> tuple[Stratum, ...]:
    paired = cases_of(board, entry, test_set)
    if paired is None:
        return ()
    return _KEPT.get(origin(board, entry, test_set), lambda: strata(paired, entry.slug))


def _told_sources(board: Board, entry: Entry, test_set: TestSet) -> list[InStratum]:
    told = (board.private_gap(test_set.name, entry.slug) or {}).get("sources", {})
    return [
        InStratum(entry, test_set, DIMENSIONS[SOURCE], name, cell["n_cases"], Estimate(0, 0, cell["dsc"]))
        for name, cell in told.items()
    ]
