"""A real https server on this machine, with a certificate of its own, that can misbehave in a chosen way.

    def test_something(https_server: HttpsServer) -> None:      # a fixture, known to all tests through conftest.py
        https_server.files["/a.tar"] = b"..."
        fetch(https_server.url("/a.tar"), ..., hosts=[https_server.host])   # https://localhost:<port>/a.tar
        https_server.misbehave("/a.tar", stall_after=10)        # from now on; see Misbehaviour

`SSL_CERT_FILE` points to the certificate of the server's authority meanwhile, in this process and those it starts.
`https_server.requests` lists what was asked for, as `(path, Range header or None)`.

The same server also answers as `https://127.0.0.1:<port>` (`https_server.other_url(path)`), with a valid certificate: a
host to forbid. `https_server.redirect(path, to)` makes a redirect, to any address. A file that changes between two
requests: `https_server.files[path] = other`, or `https_server.misbehave(path, send=other, times=1)`.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Misbehaviour:
    """What the server does wrong with one path; several things may be combined.

    Attributes:
        status: Answer with this status and no content.
        times: Misbehave in the first so many requests alone; always when `None`.
        content_length: Announce this number of bytes; announce none and end by closing when 0.
        send: Send these bytes in place of the file's.
        chunked: Send in one chunk with `Transfer-Encoding: chunked`, without Content-Length.
        drop_after: Cut the connection after so many bytes of content, without any goodbye.
        stall_after: Say nothing more after so many bytes of content, and keep the connection.
        trickle_s: Send one byte of content at a time, with this pause between them.
        trickle_headers_s: The same with endless header lines, before any content.
        ignore_range: Answer a request for a part with the whole file.
        content_range: Answer a request for a part with this Content-Range.
        headers: Further headers.
    """

    status: int | None = None
    times: int | None = None
    content_length: int | None = None
    send: bytes | None = None
    chunked: bool = False
    drop_after: int | None = None
    stall_after: int | None = None
    trickle_s: float | None = None
    trickle_headers_s: float | None = None
    ignore_range: bool = False
    content_range: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class HttpsServer:
    """The server; see the module.

    Attributes:
        files: Path, with its first slash → content. May be changed at any time.
        requests: `(path, Range header or None)` of every request so far.
        host: `localhost:<port>`.
    """

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self._misbehaviours: dict[str, Misbehaviour] = {}
        self._n_requests: dict[str, int] = {}
        self.stopping = threading.Event()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        self._server = _Server(self, tls)
        self.port = self._server.server_address[1]
        self.host = f"localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"https://{self.host}{path}"

    def other_url(self, path: str) -> str:
        """Return the address of a path by another host name, which is the same server."""
        return f"https://127.0.0.1:{self.port}{path}"

    def misbehave(self, path: str, **how: Any) -> None:
        """Answer requests for a path as a `Misbehaviour(**how)`; with nothing in it, behave again."""
        self._misbehaviours[path] = Misbehaviour(**how)
        self._n_requests[path] = 0

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """Answer requests for a path with a redirect to an address."""
        self.misbehave(path, status=status, headers={"Location": to})

    def misbehaviour(self, path: str) -> Misbehaviour:
        """Return how to answer the next request for a path."""
        how = self._misbehaviours.get(path, Misbehaviour())
        self._n_requests[path] = self._n_requests.get(path, 0) + 1
        return how if how.times is None or self._n_requests[path] <= how.times else Misbehaviour()

    def stop(self) -> None:
        """Answer nothing more."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, owner: HttpsServer, tls: ssl.SSLContext) -> None:
        self.owner = owner
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(5)
        # The handshake follows in the thread of the request, so that nobody can hold up the others.
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: clients that hang up, or do not trust us, are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""

    def do_GET(self) -> None:
        owner = self.server.owner
        path = self.path.partition("?")[0]
        asked = self.headers.get("Range")
        owner.requests.append((path, asked))
        how = owner.misbehaviour(path)
        self.close_connection = True
        if how.trickle_headers_s is not None:
            self._trickle(b"HTTP/1.1 200 OK\r\n" + b"X-Header: 1\r\n" * 1000, how.trickle_headers_s)
        elif how.status is not None or path not in owner.files:
            self._answer(how, how.status or 404, b"")
        else:
            self._send_file(how, owner.files[path], asked)

    def _send_file(self, how: Misbehaviour, content: bytes, asked: str | None) -> None:
        if asked is None or how.ignore_range:
            self._answer(how, 200, content if how.send is None else how.send)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(content):
            self._answer(how, 416, b"")
            return
        content_range = how.content_range or f"bytes {start}-{len(content) - 1}/{len(content)}"
        part = content[start:] if how.send is None else how.send
        self._answer(how, 206, part, {"Content-Range": content_range})

    def _answer(self, how: Misbehaviour, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        length = len(content) if how.content_length is None else how.content_length
        if how.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
        elif length or not content:
            self.send_header("Content-Length", str(length))
        for name, value in {**(headers or {}), **how.headers}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self._send_content(how, content)

    def _send_content(self, how: Misbehaviour, content: bytes) -> None:
        if how.trickle_s is not None:
            self._trickle(content, how.trickle_s)
        elif how.drop_after is not None:
            self.wfile.write(content[: how.drop_after])
            # A reset could overtake what was sent; the end of the stream without a goodbye of TLS cannot.
            with suppress(OSError):
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        elif how.stall_after is not None:
            self.wfile.write(content[: how.stall_after])
            self._wait_for_end(60)
        else:
            self.wfile.write(content)

    def _trickle(self, content: bytes, pause_s: float) -> None:
        for i in range(len(content)):
            self.wfile.write(content[i : i + 1])
            if self._wait_for_end(pause_s):
                return

    def _wait_for_end(self, most_s: float) -> bool:
        """Wait until the test is over."""
        return self.server.owner.stopping.wait(most_s)


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def running_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = ("localhost", "127.0.0.1")
) -> Iterator[HttpsServer]:
    """Run a server that this process and its children trust.

    Args:
        folder: Where the certificate of the authority goes, as `authority.pem`.
        monkeypatch: Sets `SSL_CERT_FILE`.
        names: What the certificate of the server is for.
    """
    _authority().cert_pem.write_to_path(str(folder / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    server = HttpsServer(_authority().issue_cert(*names))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def https_server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    """A server for `localhost` and `127.0.0.1` that this process and its children trust."""
    with running_server(tmp_path_factory.mktemp("authority"), monkeypatch) as server:
        yield server
