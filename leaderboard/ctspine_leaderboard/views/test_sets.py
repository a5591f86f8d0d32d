"""The test sets of a board, as pages offer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctspine_bench.board import Board
    from ctspine_bench.testsets import TestSet

_TITLES: Final = {"public": "Public", "private": "Private", "verse": "VerSe"}


def title(test_set: TestSet) -> str:
    """Return a short name of a test set, for a column or an axis."""
    return _TITLES[test_set.name.removeprefix("phantom-")]


def full_title(test_set: TestSet) -> str:
    """Return a name that also says whether it is one of a phantom."""
    return title(test_set) + (" (phantom)" if test_set.name.startswith("phantom-") else "")


def options(board: Board) -> Mapping[str, str]:
    """Return name → title of the test sets that a board has results on."""
    return {test_set.name: full_title(test_set) for test_set in board.test_sets}


def default(board: Board) -> str:
    """Return the test set that decides: the private one if its standings are at hand, else the first with a ranking."""
    sets = sorted(board.test_sets, key=lambda each: not each.private)
    ranked = (each.name for each in sets if board.standings(each.name).standings)
    return next(ranked, board.test_sets[0].name)
