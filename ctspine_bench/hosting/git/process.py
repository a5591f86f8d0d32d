"""One git command: argument lists, a clean environment, a limit on output and on time."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Event, Timer
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

from ctspine_bench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MAX_OUTPUT: Final = 8 << 20
"""Bytes of git's output that are read at most, unless told otherwise."""

_SETTINGS: Final = (
    "--no-pager", "--literal-pathspecs",
    "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false",
    "-c", "advice.graftFileDeprecated=false",
)  # fmt: skip
_ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # A repository can say that one object stands for another, or that a commit has other parents than it has.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
}
_OFFLINE: Final = {"GIT_ALLOW_PROTOCOL": ""}
# All other variables of git that are set outside, such as GIT_DIR inside a hook, would mean another repository.
_KEPT: Final = re.compile(r"GIT_(AUTHOR|COMMITTER)_\w+|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|GIT_SSH_COMMAND|GIT_ASKPASS")


class Output(NamedTuple):
    """What a git command left.

    Attributes:
        content: Its standard output, at most as many bytes as were asked for.
        returncode: Its exit code; negative when it was stopped.
        message: First line of its standard error.
        cut: Whether it was stopped because it printed more.
    """

    content: bytes
    returncode: int
    message: str
    cut: bool


def run_git(
    folder: Path,
    arguments: Sequence[str],
    *,
    content: bytes = b"",
    max_bytes: int = MAX_OUTPUT,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    offline: bool = True,
) -> Output:
    """Run a git command; a failing one is no exception.

    Args:
        folder: Where it runs.
        arguments: What follows `git`.
        content: Its standard input.
        max_bytes: It is stopped when it prints more.
        timeout_s: It is stopped when it takes more seconds.
        environment: Variables beside the usual ones.
        offline: Whether no transport may be used, not even a local one.

    Raises:
        SubmissionError: `E_TIMEOUT`: it took too long; `E_GIT`: git is not installed.
    """
    outside = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or _KEPT.fullmatch(k)}
    everything = {**outside, **_ENVIRONMENT, **(_OFFLINE if offline else {}), **(environment or {})}
    with TemporaryFile() as stdin, TemporaryFile() as stderr:
        stdin.write(content)
        stdin.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 -- a list of arguments, no shell
                ["git", *_SETTINGS, *arguments],  # noqa: S607 -- the git of the user's PATH
                cwd=folder, env=everything, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        except FileNotFoundError:
            expected, advice = "the program git", "Install git."
            raise SubmissionError("E_GIT", None, expected=expected, found="none", advice=advice) from None
        with process, _deadline(process, timeout_s, arguments[0]):
            printed = cast("IO[bytes]", process.stdout).read(max_bytes + 1)
            if cut := len(printed) > max_bytes:
                process.kill()
            process.wait()
        stderr.seek(0)
        message = stderr.read(1000).decode("utf-8", "replace").strip().partition("\n")[0]
    return Output(printed[:max_bytes], process.returncode, message, cut)


@contextmanager
def _deadline(process: subprocess.Popen[bytes], timeout_s: float, name: str) -> Iterator[None]:
    expired = Event()

    def stop() -> None:
        expired.set()
        process.kill()

    timer = Timer(timeout_s, stop)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if expired.is_set():
        expected = f"git {name} to be done within {timeout_s:g} s"
        advice = "The repository is too large, or its trees were made to be."
        raise SubmissionError("E_TIMEOUT", None, expected=expected, found="that it was not", advice=advice)
