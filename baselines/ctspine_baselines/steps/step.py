"""What a step is, and what it reports to while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ctspine_baselines.job import Job


class Shown(Protocol):
    """One line of progress, which the command line draws."""

    def advance(self, case_id: str, /) -> None:
        """Count one as done."""

    def skip(self, count: int, /) -> None:
        """Count so many as done before."""

    def say(self, text: str, /) -> None:
        """Show what is going on at the moment."""


ProgressOf = Callable[[str, int | None], AbstractContextManager[Shown]]
"""Title, number of steps or `None` → a line of progress."""


class Step(Protocol):
    """A module of this package."""

    def describe(self, job: Job, /) -> Iterator[str]:
        """Say what would be done, and change nothing."""

    def run(self, job: Job, progress: ProgressOf, /) -> Iterable[str]:
        """Do it, and return what to tell at the end."""
