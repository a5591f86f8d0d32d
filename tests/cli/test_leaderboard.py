"""The leaderboard started from the command line: wrong arguments, what is passed on, a real start and its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from made_boards import make_board

from ctspine_bench.cli import leaderboard
from ctspine_leaderboard import serving
from ctspine_leaderboard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from command_line import Done

_ECHO = """
import json, os, sys
with open(sys.argv[1], "w") as file:
    json.dump({"arguments": sys.argv[2:], "environment": dict(os.environ)}, file)
sys.exit(7)
"""
_STARTED_IN_S = 60


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Everything that can be shown, as empty as is allowed."""
    found = {name: tmp_path / name for name in ("submissions", "references", "predictions")}
    for folder in found.values():
        folder.mkdir()
    (found["references"] / "public" / "labels").mkdir(parents=True)
    standings = tmp_path / "standings.json"
    standings.write_text(json.dumps({"schema_version": 2, "kind": "standings", "test_sets": {}}))
    return found | {"private_standings": standings}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], dict]:
    """A program in the place of the leaderboard that writes down how it was started; returns what it has written."""
    note = tmp_path / "started.json"
    monkeypatch.setattr(leaderboard, "_PROGRAM", (sys.executable, "-c", _ECHO, str(note)))
    return lambda: json.loads(note.read_text()) if note.exists() else {}


def options_for(folders: dict[str, Path]) -> list[str]:
    return [text for name, path in folders.items() for text in (f"--{name.replace('_', '-')}", str(path))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def test_the_app_is_told_by_its_environment_what_to_show(
    run: Callable[..., Done], started: Callable[[], dict], folders: dict[str, Path]
) -> None:
    """Options arrive as settings that the app reads, port and --no-browser as arguments; its exit code is returned."""
    port = free_port()
    done = run("leaderboard", *options_for(folders), "--port", port, "--no-browser")
    assert done.returncode == 7
    assert started()["arguments"] == ["serve", "--port", str(port), "--no-browser"]
    assert Settings.of(started()["environment"]) == Settings(**folders)


def test_relative_folders_stay_what_they_are(
    run: Callable[..., Done], started: Callable[[], dict], folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is named absolutely, so that it does not matter where the app thinks it is."""
    monkeypatch.chdir(folders["submissions"].parent)
    run("leaderboard", "--submissions", "submissions", "--port", free_port())
    assert Settings.of(started()["environment"]).submissions == folders["submissions"]


def test_without_options_an_empty_board_is_shown(
    run: Callable[..., Done], started: Callable[[], dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default folder of submissions need not exist."""
    monkeypatch.chdir(tmp_path)
    assert run("leaderboard", "--port", free_port()).returncode == 7
    assert Settings.of(started()["environment"]) == Settings()


def test_settings_may_be_in_the_environment_already(
    run: Callable[..., Done], started: Callable[[], dict], folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that the app reads work for the command as well, and are checked; options win over them."""
    monkeypatch.setenv("CTSPINE_SUBMISSIONS", str(folders["predictions"]))
    monkeypatch.setenv("CTSPINE_REFERENCES", str(folders["references"]))
    run("leaderboard", "--submissions", folders["submissions"], "--port", free_port())
    settings = Settings.of(started()["environment"])
    assert (settings.submissions, settings.references) == (folders["submissions"], folders["references"])
    monkeypatch.setenv("CTSPINE_REFERENCES", str(folders["references"] / "nowhere"))
    assert run("leaderboard").returncode == 2


def test_export_takes_the_same_options_before_and_after_its_name(
    run: Callable[..., Done], started: Callable[[], dict], folders: dict[str, Path], tmp_path: Path
) -> None:
    """What is shown can be said on either side of `export`; its own arguments are passed on."""
    address = "https://example.org/board/"
    for arguments in (
        ["export", tmp_path / "out", *options_for(folders), "--base-url", address],
        [*options_for(folders), "export", tmp_path / "out", "--base-url", address],
    ):
        assert run("leaderboard", *arguments).returncode == 7
        assert started()["arguments"] == ["export", str(tmp_path / "out"), "--base-url", address]
        assert Settings.of(started()["environment"]) == Settings(**folders)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--submissions", "nowhere"], 2, "--submissions, found none called nowhere"),
        (["--submissions", "file"], 2, "--submissions, found none called file"),
        (["--references", "nowhere"], 2, "--references, found none called nowhere"),
        (["--references", "empty"], 2, "<test set>/labels"),
        (["--predictions", "nowhere"], 2, "--predictions, found none called nowhere"),
        (["--private-standings", "nowhere"], 1, "E_STANDINGS"),
        (["--private-standings", "empty"], 1, "E_STANDINGS"),
        (["--private-standings", "file"], 1, "E_STANDINGS"),
        (["--port", "0"], 2, "--port"),
        (["--port", "8600", "export", "out"], 2, "--port is about the app"),
        (["--no-browser", "export", "out"], 2, "--no-browser is about the app"),
        (["export"], 2, "FOLDER"),
        (["export", "out", "--submissions", "nowhere"], 2, "--submissions, found none called nowhere"),
        (["export", "out", "--references", "empty"], 2, "<test set>/labels"),
        (["--private-standings", "file", "export", "out"], 1, "E_STANDINGS"),
        (["exprot", "out"], 2, "exprot"),
    ],
)
def test_wrong_arguments_are_errors_before_anything_starts(
    run: Callable[..., Done],
    started: Callable[[], dict],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    """Each names the argument at fault, and nothing is started."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no standings")
    done = run("leaderboard", *arguments)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert started() == {}


def test_a_port_in_use_is_an_error(run: Callable[..., Done], started: Callable[[], dict]) -> None:
    """A port that another program listens on is refused by its number, and another one suggested."""
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]
        done = run("leaderboard", "--port", port)
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert started() == {}


def test_without_streamlit_the_extra_is_named(
    run: Callable[..., Done], started: Callable[[], dict], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The app says what to install, and so do pictures of cases; the rest of the export starts."""
    monkeypatch.setattr(leaderboard, "find_spec", lambda _: None)
    done = run("leaderboard", "--port", free_port())
    assert done.returncode == 2
    assert "pip install 'ctspine-bench[leaderboard]'" in done.stderr
    references = tmp_path / "references"
    (references / "public" / "labels").mkdir(parents=True)
    pictures = run("leaderboard", "export", tmp_path / "out", "--references", references)
    assert pictures.returncode == 2
    assert "pip install 'ctspine-bench[leaderboard]'" in pictures.stderr
    assert started() == {}
    assert run("leaderboard", "export", tmp_path / "out").returncode == 7


def test_app_and_its_configuration_are_found() -> None:
    """`app.py` is where it is started from, with the configuration beside it: Streamlit looks for it there."""
    app = serving.app_file()
    assert app.name == "app.py"
    assert "ctspine_leaderboard" in app.read_text()
    assert "gatherUsageStats = false" in (app.parent / ".streamlit" / "config.toml").read_text()


def test_streamlit_is_told_to_ask_nobody_and_to_watch_nothing() -> None:
    """No usage statistics, no question for an address, no watcher of files, this machine alone."""
    options = serving.streamlit_options(port=8600, address="localhost", browser=False)
    assert set(options) == {
        "--server.port=8600",
        "--server.address=localhost",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--server.showEmailPrompt=false",
        "--browser.gatherUsageStats=false",
        "--logger.hideWelcomeMessage=true",
    }
    assert "--server.headless=false" in serving.streamlit_options(port=8600, address="localhost", browser=True)


@pytest.fixture(scope="module")
def small_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `submissions/`, and room for `cache/`."""
    return make_board(tmp_path_factory.mktemp("small"), n_cases=10)


@contextmanager
def serving_process(board: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The leaderboard of a board, as a user starts it, and its port."""
    submissions, port = board / "submissions", free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ctspine_bench", "leaderboard", "--submissions", str(submissions), "--port", str(port)],
        env=os.environ | {"XDG_CACHE_HOME": str(board / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A process group of its own, to which a terminal would send Ctrl-C.
        start_new_session=True,
    )
    try:
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def wait_until_healthy(process: subprocess.Popen[str], port: int) -> None:
    limit = time.monotonic() + _STARTED_IN_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urlopen(f"http://localhost:{port}/_stcore/health", timeout=1) as answer:
                assert answer.read() == b"ok"
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"not healthy: {process.communicate(timeout=5) if process.poll() is not None else 'still starting'}")


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C"])
def test_it_serves_until_it_is_stopped(small_board: Path, how: str) -> None:
    """It prepares all standings, says where it is, answers, and ends cleanly: the port is free, no process is left."""
    with serving_process(small_board) as (process, port):
        wait_until_healthy(process, port)
        if how == "SIGTERM":
            process.terminate()
        else:
            os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert f"http://localhost:{port}/" in output
    assert "Preparing standings" in errors
    assert "Traceback" not in output + errors
    with pytest.raises(ConnectionError), socket.create_connection(("localhost", port), timeout=1):
        pass
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    # Test sets that are not private, schemes, metrics, regions.
    kept = [len(list(folder.iterdir())) for folder in (small_board / "cache").rglob("standings")]
    assert set(kept) == {2 * 3 * 5 * 4}
