"""The command line as tests call it: in this process, with what it prints and its exit code."""

from __future__ import annotations

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
    """Run ctspine-bench in this process, on a terminal 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["ctspine-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        output = capsys.readouterr()
        return Done(int(stop.value.code or 0), output.out, output.err)

    return call
