"""A progress line on standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator


class Steps:
    """What the caller of `steps` gets to report to."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def expect(self, total: int) -> None:
        """Say how many steps there are."""
        self._progress.update(self._task, total=total, current="")

    def done(self, what: str) -> None:
        """Count a step as done."""
        self._progress.update(self._task, advance=1, current=escape(what))


@contextmanager
def steps(title: str, first: str) -> Iterator[Steps]:
    """Show how many steps of a piece of work are done; no terminal gets more than the last state.

    Args:
        title: What the work is.
        first: What is done before it is known how many steps there are.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[current]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Steps(progress, progress.add_task(title, total=None, current=escape(first)))
