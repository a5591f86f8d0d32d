"""Downloads that end well, from a real https server."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import pytest

from ctspine_bench.archives import ALLOWED_HOSTS, Patience, check_file, fetch
from ctspine_bench.errors import ArchiveError, FileError

if TYPE_CHECKING:
    from pathlib import Path

    from https_server import HttpsServer

CONTENT = random.Random(1).randbytes(100_000)  # noqa: S311
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATIENCE = Patience(connect_s=5, stall_s=5, grace_s=10, attempts=4, pause_s=0)


@pytest.fixture
def server(https_server: HttpsServer) -> HttpsServer:
    https_server.files["/x.tar"] = CONTENT
    return https_server


def get(server: HttpsServer, path: Path, **options: Any) -> bytes:
    """Fetch `/x.tar` to a path, and return what is there."""
    options = {"hosts": [server.host], "patience": PATIENCE} | options
    fetch(server.url("/x.tar"), SHA256, len(CONTENT), path, **options)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    return path.read_bytes()


def test_fetch(server: HttpsServer, tmp_path: Path) -> None:
    """A file arrives whole, in a folder that is made; its growth is reported; the second time nothing is asked for."""
    seen: list[int] = []
    path = tmp_path / "a" / "b"
    assert get(server, path, on_bytes=seen.append) == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)
    assert get(server, path) == CONTENT
    assert server.requests == [("/x.tar", None)]


def test_another_file_is_replaced(server: HttpsServer, tmp_path: Path) -> None:
    """A file at the path that is not the declared one is replaced."""
    (tmp_path / "x").write_bytes(bytes(len(CONTENT)))
    assert get(server, tmp_path / "x") == CONTENT


def test_resuming(server: HttpsServer, tmp_path: Path) -> None:
    """What a former run has left is not asked for again, even when it is everything."""
    for n_bytes, asked in ((40_000, [("/x.tar", "bytes=40000-")]), (len(CONTENT), [])):
        folder = tmp_path / str(n_bytes)
        folder.mkdir()
        (folder / "x.part").write_bytes(CONTENT[:n_bytes])
        server.requests.clear()
        assert get(server, folder / "x") == CONTENT
        assert server.requests == asked


def test_a_dropped_line(server: HttpsServer, tmp_path: Path) -> None:
    """After a dropped line the download goes on where it stopped."""
    server.misbehave("/x.tar", drop_after=30_000, times=2)
    assert get(server, tmp_path / "x") == CONTENT
    assert server.requests == [("/x.tar", None), ("/x.tar", "bytes=30000-"), ("/x.tar", "bytes=60000-")]


def test_a_server_without_ranges(server: HttpsServer, tmp_path: Path) -> None:
    """Where the whole file comes again, the download starts over."""
    (tmp_path / "x.part").write_bytes(CONTENT[:40_000])
    server.misbehave("/x.tar", ignore_range=True)
    assert get(server, tmp_path / "x") == CONTENT


def test_a_part_that_is_too_long(server: HttpsServer, tmp_path: Path) -> None:
    """What is longer than the file cannot be a part of it."""
    (tmp_path / "x.part").write_bytes(CONTENT + b"x")
    assert get(server, tmp_path / "x") == CONTENT
    assert server.requests == [("/x.tar", None)]


def test_passing_errors(server: HttpsServer, tmp_path: Path) -> None:
    """A server that is overloaded, or loses its place, is asked again."""
    server.misbehave("/x.tar", status=503, times=2)
    assert get(server, tmp_path / "x") == CONTENT
    (tmp_path / "y.part").write_bytes(CONTENT[:10])
    (tmp_path / "x").unlink()
    server.misbehave("/x.tar", status=416, times=1)
    assert get(server, tmp_path / "y") == CONTENT


def test_a_stall_that_passes(server: HttpsServer, tmp_path: Path) -> None:
    """A stalled connection is given up and the download goes on by another one."""
    server.misbehave("/x.tar", stall_after=50_000, times=1)
    patience = Patience(stall_s=0.2, grace_s=10, attempts=2, pause_s=0)
    assert get(server, tmp_path / "x", patience=patience) == CONTENT


@pytest.mark.parametrize(
    "how", [{"chunked": True}, {"content_length": 0}, {"headers": {"Content-Encoding": "identity"}}]
)
def test_ways_of_sending(server: HttpsServer, tmp_path: Path, how: dict[str, Any]) -> None:
    """Chunks, an end by closing, and an explicit identity encoding are all fine."""
    server.misbehave("/x.tar", **how)
    assert get(server, tmp_path / "x") == CONTENT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(server: HttpsServer, tmp_path: Path, status: int) -> None:
    """Redirects to an allowed host are followed, relative ones as well; the query is kept."""
    server.files["/there.tar"] = CONTENT
    server.redirect("/x.tar", "/on", status)
    server.redirect("/on", server.other_url("/there.tar?token=1"), status)
    assert get(server, tmp_path / "x", hosts=[server.host, f"127.0.0.1:{server.port}"]) == CONTENT
    assert [path for path, _ in server.requests] == ["/x.tar", "/on", "/there.tar"]


def test_wrong_digest_then_right(server: HttpsServer, tmp_path: Path) -> None:
    """A download with a wrong digest is thrown away, so that the next one begins afresh."""
    server.misbehave("/x.tar", send=CONTENT[::-1], times=1)
    with pytest.raises(ArchiveError) as error:
        get(server, tmp_path / "x")
    assert error.value.code == "E_DIGEST"
    assert list(tmp_path.iterdir()) == []
    assert get(server, tmp_path / "x") == CONTENT


def test_no_place_to_write(server: HttpsServer, tmp_path: Path) -> None:
    """A folder that cannot be made is an error that does not tell where it would be."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError) as error:
        get(server, tmp_path / "file" / "x")
    assert error.value.code == "E_OUTPUT"
    assert str(tmp_path) not in str(error.value)


def test_check_file(tmp_path: Path) -> None:
    """A file that came by another way is compared with size and digest; errors name it as told."""
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    check_file(path, "x.tar", SHA256, len(CONTENT))
    problems = {}
    for sha256, size, file in (
        (SHA256, 1, path),
        ("0" * 64, len(CONTENT), path),
        (SHA256, 1, tmp_path / "missing"),
    ):
        with pytest.raises((ArchiveError, FileError)) as error:
            check_file(file, "x.tar", sha256, size)
        problems[error.value.code] = error.value.path
    assert problems == dict.fromkeys(("E_SIZE", "E_DIGEST", "E_NOT_FOUND"), "x.tar")


def test_allowed_hosts() -> None:
    """The hosts are plain names, each once: no wildcard, no port, no address."""
    assert len(set(ALLOWED_HOSTS)) == len(ALLOWED_HOSTS)
    assert all(host == host.lower() and host.replace(".", "").replace("-", "").isalnum() for host in ALLOWED_HOSTS)
    assert {"zenodo.org", "github.com", "huggingface.co"} <= set(ALLOWED_HOSTS)
