"""A made board, to look at and to change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from board_records import no_strata
from made_boards import Quality, make_board

if TYPE_CHECKING:
    from pathlib import Path

QUALITIES = {
    "alpha": Quality(outline=0.03),
    "beta": Quality(outline=0.06, missing=0.05),
    "gamma": Quality(outline=0.2, shifted=0.4),
}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of three submissions on twelve public, twelve private and six VerSe cases; not to be changed."""
    with no_strata():
        return make_board(tmp_path_factory.mktemp("made"), QUALITIES, n_cases=12)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed, with nothing in the cache."""
    return shutil.copytree(made, tmp_path / "made", ignore=shutil.ignore_patterns("cache"))
