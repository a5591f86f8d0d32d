"""The demo from its first file to the leaderboard that it opens, on fewer cases and submissions than users get."""

from __future__ import annotations

import shlex
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ctspine_bench.board import Board
from ctspine_bench.board.private_file import read_private_standings
from ctspine_bench.cli import demo, leaderboard
from ctspine_bench.cli.leaderboard import command as leaderboard_command
from ctspine_bench.phantom.trained import TRAINED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command_line import Done

_GOOD, _BAD = "boundary-noise-mild", "boundary-noise-strong"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the demo would serve, instead of serving it."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(demo, "serve", lambda shown, port: calls.append({"port": port, **shown}) or 0)
    return calls


def test_without_a_terminal_it_says_how_to_open_the_leaderboard(
    run: Callable[..., Done], served: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables, files and the command are printed, nothing is served; the command is one that ctspine-bench takes."""
    monkeypatch.setattr(demo, "_SUBMISSIONS", (_GOOD, _BAD))
    monkeypatch.setattr(demo, "_SHOWN", _GOOD)
    monkeypatch.setattr(demo, "_CASES_PER_SOURCE", 2)
    monkeypatch.setattr(demo, "_VERSE_CASES", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "a demo"
    done = run("demo", folder)
    assert done.returncode == 0, done.stderr
    assert "Mean of Vertebrae, DSC / HD95 in mm" in done.stdout
    assert served == []
    (line,) = [line for line in done.stdout.splitlines() if "ctspine-bench leaderboard" in line]
    arguments = shlex.split(line)[2:]
    given = leaderboard_command.make_context("leaderboard", arguments).params
    assert given["submissions"] == folder / "submissions"
    assert given["references"] == folder / "benchmark"
    assert given["predictions"] == folder / "predictions"
    assert (folder / "report.html").exists()
    assert read_private_standings(given["private_standings"]).of("phantom-private").standings
    board = Board(given["submissions"], given["private_standings"])
    for test_set in ("phantom-public", "phantom-private"):
        found = board.standings(test_set).standings
        assert found
        assert [row.slug for row in found.rows if row.slug not in TRAINED] == [_GOOD, _BAD]
        assert {row.slug for row in found.rows} == {_GOOD, _BAD, *TRAINED}


def test_on_a_terminal_it_ends_with_the_leaderboard(
    served: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app is served on what the demo made, at the next port when another program has the usual one."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(leaderboard, "_DEFAULT_PORT", port)
        assert demo._show_leaderboard(tmp_path) == 0
    (call,) = served
    assert call.pop("port") > port
    assert call == {
        "submissions": tmp_path / "submissions",
        "private_standings": tmp_path / "standings.json",
        "references": tmp_path / "benchmark",
        "predictions": tmp_path / "predictions",
    }


def test_without_the_packages_of_the_app_it_names_them(
    served: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal without Streamlit the demo says what to install, and is a success all the same."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(demo, "is_installed", lambda: False)
    assert (demo._show_leaderboard(tmp_path), served) == (0, [])
    assert "pip install 'ctspine-bench[leaderboard]'" in capsys.readouterr().out
