"""The app as a server of its own, on a made board with private standings and a case whose volumes lie on the disk."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from label_volumes import column
from made_boards import make_board

from ctspine_bench import Grid, write_labels
from ctspine_bench.board import Board
from ctspine_bench.board.document import standings_document
from ctspine_bench.board.private import private_standings
from ctspine_bench.hosting.store import PrivateStore

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = Path(__file__).parents[3] / "leaderboard" / "app.py"
CASE = "made-public-000"
"""The case whose volumes are there."""

_PATIENCE_S = 60


@contextmanager
def app_server(folder: Path) -> Iterator[str]:
    """Serve the app on a board that is made in a folder; yield its address."""
    make_board(folder)
    _write_volumes(folder)
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CTSPINE_SUBMISSIONS": str(folder / "submissions"),
        "CTSPINE_PRIVATE_STANDINGS": str(folder / "standings.json"),
        "CTSPINE_REFERENCES": str(folder / "references"),
        "CTSPINE_PREDICTIONS": str(folder / "predictions"),
    }
    board = Board(folder / "submissions")
    board = board.with_private(private_standings(board, PrivateStore(folder / "private-store")))
    (folder / "standings.json").write_text(json.dumps(standings_document(board)))
    port = _free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port), "--server.headless", "true",
        "--server.address", "localhost", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _wait(port, process, log)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


def _write_volumes(folder: Path) -> None:
    labels = column(first=15)
    grid = Grid(labels.shape, np.diag([1.0, 1.0, 2.0, 1.0]))
    for path in (
        folder / "references" / "public" / "labels" / f"{CASE}_seg.nii.gz",
        folder / "predictions" / "alpha" / "public" / f"{CASE}.nii.gz",
    ):
        path.parent.mkdir(parents=True)
        write_labels(path, labels, grid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")
