"""A progress line on standard error: how many cases are done, which was the last, how fast, how long to go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator


class CaseProgress:
    """What the caller of `case_progress` gets to report to."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def say(self, text: str) -> None:
        """Show what is going on at the moment."""
        self._progress.update(self._task, current=escape(text))

    def advance(self, case_id: str) -> None:
        """Count one case as done."""
        self._progress.update(self._task, advance=1, current=escape(case_id))
        task = self._progress.tasks[0]
        if task.speed:
            self._progress.update(self._task, rate=f"{task.speed:.1f} cases/s")


@contextmanager
def case_progress(title: str, total: int) -> Iterator[CaseProgress]:
    """Show progress over some cases; on something that is not a terminal only the last state is printed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[current]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield CaseProgress(progress, progress.add_task(title, total=total, current="", rate=""))
