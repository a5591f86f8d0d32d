"""Servers and addresses that mean harm, one way each: every one is its typed error, and no file comes of it."""

from __future__ import annotations

import hashlib
import inspect
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from https_server import HttpsServer, running_server

from ctspine_bench.archives import Patience, fetch
from ctspine_bench.archives import fetching as fetching_module
from ctspine_bench.errors import ArchiveError

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = bytes(range(256)) * 200
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATIENCE = Patience(connect_s=0.5, stall_s=0.2, grace_s=0.6, slowest=1e9, attempts=2, pause_s=0)


@pytest.fixture
def server(https_server: HttpsServer) -> HttpsServer:
    https_server.files["/x.tar"] = CONTENT
    return https_server


def refusal(url: str, folder: Path, *hosts: str) -> ArchiveError:
    """The error of a download to a folder, in which no file but a `.part` may be afterwards."""
    target = folder / "target"
    with pytest.raises(ArchiveError) as error:
        fetch(url, SHA256, len(CONTENT), target / "x", hosts=hosts, patience=PATIENCE)
    left = [path for path in folder.rglob("*") if path != target]
    assert left in ([], [target / "x.part"])
    assert error.value.path == url
    assert str(folder) not in str(error.value)
    return error.value


WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "announces less": ("E_SIZE", {"content_length": 100}),
    "announces more": ("E_SIZE", {"content_length": 1 << 40}),
    "announces no number": ("E_SIZE", {"headers": {"Content-Length": "many"}, "chunked": True}),
    "sends more than announced, without end": ("E_SIZE", {"content_length": 0, "send": CONTENT * 100}),
    "sends less, in chunks": ("E_SIZE", {"chunked": True, "send": CONTENT[:100]}),
    "sends more, in chunks": ("E_SIZE", {"chunked": True, "send": CONTENT + b"x"}),
    "sends less than it announced": ("E_TIMEOUT", {"stall_after": 100}),
    "ends early each time": ("E_FETCH", {"drop_after": 100}),
    "never sends anything": ("E_FETCH", {"drop_after": 0}),
    "stalls at the beginning": ("E_TIMEOUT", {"stall_after": 0}),
    "trickles": ("E_TIMEOUT", {"trickle_s": 0.05}),
    "trickles headers": ("E_TIMEOUT", {"trickle_headers_s": 0.05}),
    "sends another file": ("E_DIGEST", {"send": CONTENT[::-1]}),
    "compresses": ("E_FETCH", {"headers": {"Content-Encoding": "gzip"}}),
    "compresses in another way": ("E_FETCH", {"headers": {"Content-Encoding": "zstd, identity"}}),
    "sends a part unasked": ("E_FETCH", {"status": 206}),
    "has no such file": ("E_FETCH", {"status": 404}),
    "wants a password": ("E_FETCH", {"status": 401}),
    "fails each time": ("E_FETCH", {"status": 500}),
    "redirects to nowhere": ("E_FETCH", {"status": 302}),
    "answers with an unknown status": ("E_FETCH", {"status": 299}),
    "sends nothing": ("E_SIZE", {"send": b""}),
}


@pytest.mark.parametrize(("code", "how"), WAYS.values(), ids=WAYS)
def test_servers(server: HttpsServer, tmp_path: Path, code: str, how: dict[str, Any]) -> None:
    """A server that lies about size, sends something else, stalls, trickles or drops the line gives a typed error."""
    server.misbehave("/x.tar", **how)
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == code


TARGETS = {
    "another host": "https://127.0.0.1:{port}/x.tar",
    "another port": "https://localhost:1/x.tar",
    "plain http": "http://localhost:{port}/x.tar",
    "a file of this machine": "file:///etc/passwd",
    "another scheme": "ftp://localhost:{port}/x.tar",
    "a cloud's metadata": "http://169.254.169.254/latest/meta-data/",
    "a name before an at sign": "https://localhost:{port}@127.0.0.1:{port}/x.tar",
    "a password for the host": "https://user:password@localhost:{port}/x.tar",
    "a backslash before an at sign": "https://127.0.0.1:{port}\\@localhost:{port}/x.tar",
    "no scheme": "//127.0.0.1:{port}/x.tar",
    "a dot after the name": "https://localhost.:{port}/x.tar",
    "a longer name": "https://localhost.evil.example:{port}/x.tar",
    "no port at all": "https://localhost:port/x.tar",
    "no address at all": "https://[localhost/x.tar",
    "an IPv6 address": "https://[::1]:{port}/x.tar",
    "letters that look alike": "https://localh%6Fst:{port}/x.tar",
    "blanks": "https://localhost:{port} /x.tar",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_redirects_to_forbidden_places(server: HttpsServer, tmp_path: Path, target: str) -> None:
    """A redirect leads to an allowed host by https or nowhere: the other address is not even connected to."""
    server.files["/"] = server.files["/latest/meta-data/"] = CONTENT
    server.redirect("/x.tar", target.format(port=server.port))
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_HOST"
    assert server.requests == [("/x.tar", None)]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_forbidden_addresses(server: HttpsServer, tmp_path: Path, target: str) -> None:
    """The same addresses are refused when they are declared."""
    with pytest.raises(ArchiveError) as error:
        fetch(target.format(port=server.port), SHA256, 1, tmp_path / "x", hosts=[server.host], patience=PATIENCE)
    assert error.value.code == "E_HOST"
    assert server.requests == []
    assert list(tmp_path.iterdir()) == []


def test_line_feed_in_an_address(server: HttpsServer, tmp_path: Path) -> None:
    """An address cannot smuggle a header into the request, nor a line into a message."""
    url = f"{server.url('/x.tar')} HTTP/1.1\r\nX-Evil: 1"
    with pytest.raises(ArchiveError) as error:
        fetch(url, SHA256, 1, tmp_path / "x", hosts=[server.host], patience=PATIENCE)
    assert error.value.code == "E_HOST"
    assert len(str(error.value).splitlines()) == 1
    assert server.requests == []


def test_redirect_in_circles(server: HttpsServer, tmp_path: Path) -> None:
    """More than five redirects are not followed."""
    server.redirect("/x.tar", "/y.tar")
    server.redirect("/y.tar", "/x.tar")
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_FETCH"
    assert len(server.requests) == 6


CONTENT_RANGES = {
    "another start": "bytes 0-{last}/{size}",
    "another end": "bytes 100-200/{size}",
    "another size": "bytes 100-{last}/999999",
    "no sense": "everything",
}


@pytest.mark.parametrize("content_range", CONTENT_RANGES.values(), ids=CONTENT_RANGES)
def test_content_ranges(server: HttpsServer, tmp_path: Path, content_range: str) -> None:
    """A part that is not the one asked for is refused."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "x.part").write_bytes(CONTENT[:100])
    server.misbehave("/x.tar", content_range=content_range.format(last=len(CONTENT) - 1, size=len(CONTENT)))
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_FETCH"


def test_content_that_changes_between_two_requests(server: HttpsServer, tmp_path: Path) -> None:
    """Halves of two files do not make one, and the next attempt begins afresh."""
    server.misbehave("/x.tar", send=CONTENT[::-1], content_length=len(CONTENT), drop_after=1000, times=1)
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_DIGEST"
    assert not (tmp_path / "target" / "x.part").exists()
    fetch(server.url("/x.tar"), SHA256, len(CONTENT), tmp_path / "x", hosts=[server.host], patience=PATIENCE)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_damaged_part_on_disk(server: HttpsServer, tmp_path: Path) -> None:
    """What a former run has left is digested again, not trusted."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "x.part").write_bytes(b"evil" * 100)
    assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_DIGEST"


def test_unknown_authority(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused, and not tried again."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    (tmp_path / "empty").mkdir()
    assert refusal(server.url("/x.tar"), tmp_path / "empty", server.host).code == "E_FETCH"
    assert server.requests == []


def test_certificate_for_another_name(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of a known authority for another host is refused."""
    with running_server(tmp_path_factory.mktemp("authority"), monkeypatch, ("evil.example",)) as server:
        server.files["/x.tar"] = CONTENT
        assert refusal(server.url("/x.tar"), tmp_path, server.host).code == "E_FETCH"
        assert server.requests == []


def test_nobody_there(tmp_path: Path) -> None:
    """A port at which nothing listens is a failed download."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert refusal(f"https://localhost:{port}/x.tar", tmp_path, f"localhost:{port}").code == "E_FETCH"


def test_no_handshake(tmp_path: Path) -> None:
    """A server that takes the connection and then says nothing does not hold us."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert refusal(f"https://localhost:{port}/x.tar", tmp_path, f"localhost:{port}").code == "E_TIMEOUT"


def test_no_tls(tmp_path: Path) -> None:
    """A server that answers in the clear is a failed download."""

    def answer(listener: socket.socket) -> None:
        for _ in range(PATIENCE.attempts):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=answer, args=[listener], daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        assert refusal(f"https://localhost:{port}/x.tar", tmp_path, f"localhost:{port}").code == "E_FETCH"
        thread.join()


def test_no_proxy_and_no_credentials(server: HttpsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment cannot send a download elsewhere, and no password file is read."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    (tmp_path / ".netrc").write_text("machine localhost login a password b")
    monkeypatch.setenv("HOME", str(tmp_path))
    fetch(server.url("/x.tar"), SHA256, len(CONTENT), tmp_path / "x", hosts=[server.host], patience=PATIENCE)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_verification_is_on() -> None:
    """There is no switch in the source that would turn the verification of certificates off."""
    source = inspect.getsource(fetching_module)
    assert not any(word in source for word in ("CERT_NONE", "check_hostname", "_create_unverified", "cert_reqs"))
