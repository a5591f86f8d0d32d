"""What the tests of the baselines share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ctspine_download import write_download

from ctspine_baselines.job import Job
from ctspine_baselines.recipe import read_recipe

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ctspine_baselines.steps.step import ProgressOf


class Counted:
    """A line of progress that nobody sees."""

    def __init__(self) -> None:
        self.advanced: list[str] = []
        self.skipped = 0

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, case_id: str, /) -> None:
        """Count one."""
        self.advanced.append(case_id)

    def skip(self, count: int, /) -> None:
        """Count several."""
        self.skipped += count

    def say(self, text: str, /) -> None:
        """Say nothing."""


@pytest.fixture
def lines() -> dict[str, Counted]:
    """Title → the last line of progress of that title."""
    return {}


@pytest.fixture
def progress(lines: dict[str, Counted]) -> ProgressOf:
    """Progress that is kept in `lines`."""

    def line(title: str, _: int | None) -> AbstractContextManager[Counted]:
        lines[title] = Counted()
        return lines[title]

    return line


@pytest.fixture(scope="session")
def pristine_download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole training set by its real names, in tiny; not to be written to."""
    return write_download(tmp_path_factory.mktemp("ctspine1k"))


@pytest.fixture
def job(pristine_download: Path, tmp_path: Path) -> Job:
    """The row of the paper on that training set, in a work folder of its own."""
    return Job(read_recipe("nnunet-3dfullres"), work=tmp_path / "work", data=pristine_download, workers=2)
