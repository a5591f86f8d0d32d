"""Files are replaced whole or not at all."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from ctspine_bench.files import replacing

if TYPE_CHECKING:
    from pathlib import Path


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """Until the end readers see the old content, afterwards the new one, and nothing else is in the folder."""
    path = tmp_path / "table.json"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_content(tmp_path: Path, error: type[BaseException]) -> None:
    """After an exception half-way the old content is there, the half file is gone, and the exception arrives."""
    path = tmp_path / "table.json"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_before_the_first_byte(tmp_path: Path) -> None:
    """An exception before anything is written leaves an empty folder."""
    with pytest.raises(RuntimeError), replacing(tmp_path / "new.json"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    """Whoever writes nothing is told, and the old content stays."""
    path = tmp_path / "table.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_the_temporary_file_is_beside_and_hidden(tmp_path: Path) -> None:
    """The temporary file lies in the same folder, which is made, and no pattern for cases finds it."""
    path = tmp_path / "a" / "b" / "case.nii.gz"
    with replacing(path) as temporary:
        temporary.write_bytes(b"1")
        assert temporary.parent == path.parent
        assert temporary.name.startswith(".")
        assert list(path.parent.glob("*.nii.gz")) == []
    assert path.read_bytes() == b"1"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    """Two writers of one file have a temporary file each; the last to finish wins, with all of its content."""
    path = tmp_path / "case.bin"
    with replacing(path) as outer:
        outer.write_bytes(b"outer")
        with replacing(path) as inner:
            assert inner != outer
            inner.write_bytes(b"in")
        assert path.read_bytes() == b"in"
    assert path.read_bytes() == b"outer"
    assert list(tmp_path.iterdir()) == [path]


def _write_again_and_again(path: Path, byte: bytes) -> None:
    for _ in range(50):
        with replacing(path) as temporary:
            temporary.write_bytes(byte * 100_000)


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    """While two processes write the same file, every reader finds the whole content of one of them."""
    path = tmp_path / "case.bin"
    path.write_bytes(b"a" * 100_000)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_again_and_again, args=(path, byte)) for byte in (b"a", b"b")]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(path.read_bytes())
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen <= {b"a" * 100_000, b"b" * 100_000}
    assert list(tmp_path.iterdir()) == [path]
