"""The command line as tests call it: in this process, with what it prints and its exit code."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ctspine_bench.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable


class Done(NamedTuple):
    """What a call left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run ctspine-bench in this process, on a terminal 100 columns wide; `typed` is what somebody answers there."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object, typed: str | None = None) -> Done:
        stdin = io.StringIO(typed)
        monkeypatch.setattr(stdin, "isatty", lambda: typed is not None)
        monkeypatch.setattr(sys, "stdin", stdin)
        returncode = exit_code(monkeypatch, *arguments)
        output = capsys.readouterr()
        return Done(returncode, output.out, output.err)

    return call


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run ctspine-bench in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["ctspine-bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)
