"""Progress lines on standard error: how many cases are done, which was the last, how fast, how long to go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctspine_bench.errors import InputError


class CaseProgress:
    """What the caller of `case_progress` gets to report to."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def say(self, text: str) -> None:
        """Show what is going on at the moment."""
        self._progress.update(self._task, current=escape(text))

    def skip(self, count: int) -> None:
        """Count so many as done before."""
        self._progress.update(self._task, advance=count)

    def advance(self, case_id: str) -> None:
        """Count one case as done."""
        self._progress.update(self._task, advance=1, current=escape(case_id))
        task = self._progress.tasks[0]
        if task.speed:
            self._progress.update(self._task, rate=f"{task.speed:.1f} cases/s")


@contextmanager
def case_progress(title: str, total: int | None) -> Iterator[CaseProgress]:
    """Show progress over some cases, or an unknown number of them; no terminal gets more than the last state."""
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


class IntakeProgress:
    """What the caller of `intake_progress` gets to report to: see `hosting.intake.Progress`."""

    def __init__(self, progress: Progress, title: str, n_bytes: int, n_cases: int | None) -> None:
        self._progress = progress
        self._n_bytes = n_bytes
        self._n_cases = 0
        self._download, self._reading = (
            progress.add_task(f"{title}: {what}", total=total, visible=False, done="", current="")
            for what, total in (("downloading", n_bytes), ("reading", n_cases))
        )

    def on_bytes(self, n_bytes: int) -> None:
        """Show how much of the archive is there."""
        done = f"{decimal(n_bytes)} of {decimal(self._n_bytes)}"
        self._show(self._download, completed=n_bytes, done=done)

    def on_case(self, case_id: str, refusal: InputError | None) -> None:
        """Count one prediction as read or refused."""
        self._n_cases += 1
        current = escape(f"{case_id} {refusal.code}" if refusal else case_id)
        self._show(self._reading, advance=1, done=f"{self._n_cases} cases", current=current)

    def _show(self, task: TaskID, **fields: Any) -> None:
        self._progress.start()
        self._progress.update(task, visible=True, **fields)


@contextmanager
def intake_progress(title: str, n_bytes: int, n_cases: int | None) -> Iterator[IntakeProgress]:
    """Show how an archive of so many bytes comes in, and how its predictions, if known so many, are read."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[done]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[current]}"),
    )
    progress = Progress(*columns, console=Console(stderr=True))
    try:
        yield IntakeProgress(progress, title, n_bytes, n_cases)
    finally:
        if progress.live.is_started:  # else it would print an empty line
            progress.stop()
