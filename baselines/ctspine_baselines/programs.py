"""nnU-Net's programs, run as processes of their own: their output goes to a file, and line by line to whoever asks."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ctspine_bench.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ctspine_baselines.job import Job
    from ctspine_baselines.steps.step import Shown

PROGRAM: Final = (sys.executable, "-P", "-m", "ctspine_baselines.nnunet.program")

SETTINGS: Final = "CTSPINE_TRAINING"
"""Environment variable with what a recipe says about training, as JSON: it reaches the processes of all GPUs."""

PREPROCESSED: Final = ".done.json"
"""End of the name of the file, beside a folder of preprocessed cases, that says which are done."""

LOCK: Final = ".lock"
"""The file in a training folder that the program which trains there has locked."""

NEXT_STAGE: Final = "next_stage.json"
"""The file in a training folder that is written when all training cases are predicted for the next stage."""

LOCKED: Final = 75
"""Exit code of `train` when another process trains in the folder."""

SESSIONS: Final = "sessions.jsonl"
"""The file in a training folder with one line for each start and each end: versions, hardware, memory."""

_DONE: Final = "done "
_LAST_LINES: Final = 12
_STOPPED_IN_S: Final = 30


def run_nnunet(
    job: Job,
    arguments: Sequence[str],
    *,
    variables: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    allowed: Sequence[int] = (),
) -> int:
    """Run one of nnU-Net's programs to its end, and return its exit code.

    Args:
        job: Where everything is; the output is added to a file in its `logs`.
        arguments: Which program, and its arguments.
        variables: Environment variables beside those of the job.
        on_line: Called with each line of its output.
        allowed: Exit codes beside 0 that are no error.

    Raises:
        BaselineError: E_PROGRAM, with the last lines of its output.
    """
    environment = job.environment() | dict(variables or {}) | {"PYTHONUNBUFFERED": "1"}
    log = job.logs / f"{arguments[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with (
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(  # noqa: S603 -- our own program, no shell
            [*PROGRAM, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
        _stopping(process),
    ):
        for line in process.stdout or ():
            kept.write(line)
            kept.flush()
            last.append(line.rstrip())
            if on_line:
                on_line(line.rstrip())
        code = process.wait()
    if code and code not in allowed:
        found = f"exit code {code}; its last lines are\n    " + "\n    ".join(line for line in last if line)
        raise BaselineError(
            "E_PROGRAM",
            log,
            expected=f"`{arguments[0]}` to succeed",
            found=found,
            advice="All it printed is in that file.",
        )
    return code


def counting(shown: Shown) -> Callable[[str], None]:
    """Return what counts the lines `done <case>` that a program of ours prints."""

    def count(line: str) -> None:
        if line.startswith(_DONE):
            shown.advance(line.removeprefix(_DONE))

    return count


@contextmanager
def _stopping(process: subprocess.Popen[str]) -> Iterator[None]:
    """Stop a process when this one is stopped, and give it time to tidy up."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOPPED_IN_S)
            except subprocess.TimeoutExpired:
                process.kill()
