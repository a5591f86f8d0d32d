"""The export as a program: what it says, how it fails, and that it needs no Streamlit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from made_boards import Quality, make_board

if TYPE_CHECKING:
    from pathlib import Path

_COMMAND = ("-m", "ctspine_bench", "leaderboard")
_WITHOUT_STREAMLIT = """
import sys
sys.modules["streamlit"] = None  # whoever imports it fails
from ctspine_leaderboard.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def board_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_board(tmp_path_factory.mktemp("board"), {"only": Quality()}, n_cases=10)


def start(
    board: Path, *arguments: object, program: tuple[str, ...] = ("-m", "ctspine_bench", "leaderboard")
) -> subprocess.Popen[str]:
    """Start the export of a board."""
    places = {"CTSPINE_SUBMISSIONS": str(board / "submissions"), "XDG_CACHE_HOME": str(board / "cache")}
    return subprocess.Popen(
        [sys.executable, *program, "export", *map(str, arguments)],
        env=os.environ | places,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_what_it_has_written(board_folder: Path, tmp_path: Path) -> None:
    """Without Streamlit: the number of files and the first page, a progress line, exit code 0."""
    process = start(board_folder, tmp_path / "site", program=("-c", _WITHOUT_STREAMLIT))
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    n_files = sum(path.is_file() for path in (tmp_path / "site").rglob("*"))
    assert output == f"{n_files} files written; {tmp_path / 'site' / 'index.html'} is the first page.\n"
    assert "Writing pages" in errors
    assert "14/14" in errors


@pytest.mark.parametrize("address", ["example.org", "ftp://example.org/", "https://", "https://example.org/?a=b"])
def test_an_address_that_is_none_is_refused(board_folder: Path, tmp_path: Path, address: str) -> None:
    """A wrong --base-url is wrong usage, told before anything is written."""
    process = start(board_folder, tmp_path / "site", "--base-url", address)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--base-url" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "site").exists()


def test_a_folder_with_other_files_is_an_error(board_folder: Path, tmp_path: Path) -> None:
    """The command line tells which file is in the way, and exits with 1."""
    (tmp_path / "notes.txt").write_text("mine")
    process = start(board_folder, tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "E_OUTPUT" in errors
    assert "notes.txt" in errors
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_an_error(board_folder: Path, tmp_path: Path) -> None:
    """A file where a folder should be on the way is one line, without a traceback."""
    (tmp_path / "file").write_text("")
    process = start(board_folder, tmp_path / "file" / "site")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "E_OUTPUT" in errors
    assert "Traceback" not in errors


def test_a_stopped_export_tidies_up(board_folder: Path, tmp_path: Path) -> None:
    """SIGTERM to the command ends it with the code for that, and leaves neither half an export nor other remains."""
    process = start(board_folder, tmp_path / "site")
    limit = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < limit and not list(tmp_path.glob(".site.*.part/*")):
        time.sleep(0.01)
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert list(tmp_path.iterdir()) == []
